"""PSG: label the forget images by a perturbed sign gradient search, then train on those labels."""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.methods.base import BatchNormMode, Method, MethodContext, StepSettings
from monai_unlearn.methods.boundary import BoundarySearch
from monai_unlearn.methods.boundary_shrink import BoundaryShrink
from monai_unlearn.methods.label_search import LabelSearch
from monai_unlearn.methods.passes import frozen_copy
from monai_unlearn.methods.psg_published import PublishedPSG
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.targets import TargetRule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.methods.diagnostics import SearchTrace
    from monai_unlearn.methods.relabelling import RelabellingLoop

PRESETS: Mapping[str, type[RelabellingLoop]] = MappingProxyType(
    {"boundary_shrink": BoundaryShrink, "psg_published": PublishedPSG}
)
REMAIN_TARGETS = ("labels", "teacher")
PRECISIONS = ("auto", "float32")
logger = logging.getLogger(__name__)


@register(
    MethodInfo(
        name="psg",
        paper="Nahass et al. 2025, Targeted Unlearning Using Perturbed Sign Gradient Methods, arXiv 2505.21872",
        equations="Algorithms 1 (boundary search), 2 (hard labels), 3 (soft labels)",
        needs=("forget", "remain"),
        suits=("class",),
        batch_norm="train mode on both parts as one batch, or as `batch_norm` says",
        boundary_targets=True,
        cost="T gradients per searched forget image, once; then one gradient per image of each step",
        search_space={
            "method::remain_weight": (10.0, 3.0, 30.0),
            "training::rate_factor": (1.0, 0.3, 0.1),
        },
    )
)
class PSG(Method):
    """Perturbed sign gradient unlearning (arXiv 2505.21872, Algorithms 1–3).

    `prepare` searches, once, for a point across the nearest boundary of a frozen copy of the network, for each selected
    forget image, and keeps the copy's logits there. Each step then minimises

        L(f(x_forget), target found) + φ · CE(f(x_remain), its class)

    on the clean images; while `phase` is `repair`, the cross entropy of the remain images alone. For departures from
    the published code, each with its reason, see `docs/methods/psg.md`, which also says what chose the defaults.

    After `prepare`, `targets` holds the targets of the forget images by row, `flipped` is the number of searched images
    that left their class, and `finder` holds the logits found and the precision of the search. Forget images outside
    `used_rows` are left out of the loss.

    Args:
        preset: Gives another method instead, for comparison: `boundary_shrink` (`BoundaryShrink`) or `psg_published`
            (`PublishedPSG`).
        epsilon: ε, radius of the search in pixel units.
        steps: T, steps of the search.
        proximity_weight: λ of the search.
        proximity_schedule: How λ changes over the steps; see `Schedule`.
        proximity_rate: Rate of the exponential schedule.
        noise: γ of the search.
        noise_distribution: normal, laplace, cauchy or uniform.
        noise_scale: `absolute`, or `relative` to an image's mean absolute gradient; see `Noise`.
        bisection_steps: Bisections of the line from the image to the point found; see
            `BoundarySearch.bisect_to_boundary`.
        labels: `hard` or `soft`; see `TargetRule`.
        logits: `softmax` or `raw`; see `TargetRule`.
        top_k: Keeps the k largest logits; see `TargetRule`.
        unflipped: `keep` or `runner_up`; see `TargetRule`.
        search_images: How many forget images to search labels for and to train on, chosen by seed; all if None.
        search_precision: `auto` searches in bfloat16 where the machine has it and the labels of the first chunk
            agree; `float32` never does.
        diagnostics: Measure objective and stationarity at every step of the search.
        remain_weight: φ, at least 0; 0 leaves the remain images out, as the paper's plain form does.
        remain_targets: `labels`, or `teacher`: the softmax of the original network.
        batch_norm: See `Method`.

    Raises:
        ConfigError: An option is unknown or out of range.

    Example:
        A network that predicts class 1 for pixels above 0.5. Both images lie within ε = 0.1 of that boundary, and
        each takes the label of the other side as its target.

        >>> import torch
        >>> from monai_unlearn.methods import PSG, MethodContext, PixelSpace
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1, 2, bias=False))
        >>> _ = network[1].weight.data.copy_(torch.tensor([[-1.0], [1.0]]))
        >>> space = PixelSpace(mean=(0.5,), std=(0.25,))
        >>> images = space.to_inputs(torch.tensor([0.45, 0.55]).view(2, 1, 1, 1))
        >>> forget = [{"image": images[row], "label": row, "row": row} for row in range(2)]
        >>> method = PSG(epsilon=0.1, labels="hard")
        >>> method.prepare(
        ...     MethodContext(network=network, forget=forget, pixel_space=space, device=torch.device("cpu"), seed=0)
        ... )
        >>> method.targets
        tensor([1, 0])
        >>> batch = {"image": images, "label": torch.tensor([0, 1]), "row": torch.tensor([0, 1])}
        >>> loss = method.loss({"forget": batch, "remain": batch})
        >>> loss.backward()
    """

    # Small batches of forget images, so that evaluations can pause the run in time.
    steps = StepSettings(learning_rate=0.5, warm_up=0.2, batch_size=4, remain_batch_size=28, as_training=False)

    def __new__(cls, *, preset: str | None = None, **options: Any) -> PSG:  # noqa: ANN401, PYI034 - what __init__ takes; no subclass
        """Return the method that the preset names, if any."""
        if preset is None:
            return super().__new__(cls)
        check_choice(preset, PRESETS, name="preset")
        # Not an instance of this class, so that __init__ is not called and cards name the method that ran.
        return PRESETS[preset].from_options(options)  # type: ignore[return-value]  # as said above

    def __init__(  # noqa: PLR0913 - a config names each option
        self,
        *,
        preset: None = None,
        epsilon: float = 0.1,
        steps: int = 1,
        proximity_weight: float = 0.0,
        proximity_schedule: str = "constant",
        proximity_rate: float = 0.01,
        noise: float = 0.0,
        noise_distribution: str = "normal",
        noise_scale: str = "absolute",
        bisection_steps: int = 8,
        labels: Literal["hard", "soft"] = "soft",
        logits: Literal["softmax", "raw"] = "softmax",
        top_k: int | None = None,
        unflipped: Literal["keep", "runner_up"] = "runner_up",
        search_images: int | None = None,
        search_precision: Literal["auto", "float32"] = "auto",
        diagnostics: bool = False,
        remain_weight: float = 10.0,
        remain_targets: Literal["labels", "teacher"] = "labels",
        batch_norm: BatchNormMode = "mixed",
    ) -> None:
        del preset
        super().__init__(batch_norm=batch_norm)
        self.search = BoundarySearch(
            epsilon=epsilon,
            steps=steps,
            proximity_weight=proximity_weight,
            proximity_schedule=proximity_schedule,
            proximity_rate=proximity_rate,
            noise=noise,
            noise_distribution=noise_distribution,
            noise_scale=noise_scale,
            bisection_steps=bisection_steps,
        )
        self.rule = TargetRule(labels=labels, logits=logits, top_k=top_k, unflipped=unflipped)
        check_choice(remain_targets, REMAIN_TARGETS, name="remain_targets")
        check_choice(search_precision, PRECISIONS, name="search_precision")
        if remain_weight < 0 or (search_images is not None and search_images < 1):
            raise ConfigError(
                "psg: expected remain_weight >= 0 and search_images >= 1 or null, got "
                f"remain_weight {remain_weight} and search_images {search_images}."
            )
        self.finder = LabelSearch(
            self.search, limit=search_images, float32=search_precision == "float32", diagnostics=diagnostics
        )
        self.remain_weight = remain_weight
        self.remain_targets = remain_targets
        self.targets = torch.empty(0)
        self.flipped = 0
        self._labelled: Tensor | None = None
        self._teacher: nn.Module | None = None

    def prepare(self, context: MethodContext) -> None:
        """Search targets for each selected forget image, on a frozen copy of the network."""
        super().prepare(context)
        if self.remain_targets == "teacher":
            self._teacher = frozen_copy(context.network)
        self.finder.run(context)
        logits, classes, rows = self.finder.logits, self.finder.classes, self.used_rows.to(context.device)
        self.targets = self.rule.targets(logits, classes)
        self.flipped = int((logits.argmax(1) != classes)[rows].sum())
        self._labelled = None
        if len(rows) < len(logits):
            self._labelled = torch.zeros(len(logits), dtype=torch.bool, device=context.device)
            self._labelled[rows] = True
        self._log()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the search."""
        return self.finder.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of a search; `prepare` then continues from there.

        Raises:
            ConfigError: The state is not that of a search.
        """
        self.finder.load_state_dict(state)

    @property
    def used_rows(self) -> Tensor:
        """Rows of the forget images that are searched and trained on, shape (image,), in a seeded order."""
        return self.finder.rows

    @property
    def trace(self) -> SearchTrace | None:
        """Measures of each step of the search; None without `diagnostics`."""
        return self.finder.trace

    def write_diagnostics(self, folder: Path) -> list[Path]:
        """With `diagnostics`, write `search.json` and `search.png`; see `SearchTrace`."""
        return [] if self.trace is None else self.trace.write(folder)

    @property
    def parts(self) -> tuple[str, ...]:
        """Forget images, and remain images where φ is not 0; in the repair phase remain images alone."""
        if self.phase == "repair":
            return ("remain",)
        return ("forget", "remain") if self.remain_weight else ("forget",)

    @property
    def gradient_evaluations(self) -> int:
        """T for each forget image searched; twice for those searched in both precisions."""
        return self.finder.gradients

    @property
    def forward_passes(self) -> int:
        """One for each bisection and one for the label of each forget image searched, and trials in bfloat16."""
        return self.finder.forwards

    @property
    def taught(self) -> tuple[str, ...]:
        """The remain images, where the original network is their teacher."""
        return ("remain",) if self._teacher is not None else ()

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """T for each forget image to be searched, and a third for each forward pass; twice for the first chunk."""
        return self.finder.planned(forget)

    @property
    def agrees_in_bfloat16(self) -> bool:
        """Whether the first chunk of images is predicted in bfloat16 as in float32."""
        return self.finder.predictions_agree

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss on the targets found, plus φ times the loss on the remain images."""
        if self.phase == "repair":
            return self._remain_loss(batch["remain"])
        forget = self._labelled_of(batch["forget"])
        if not self.remain_weight:
            return self._forget_loss(self.forward("forget", forget["image"]), forget["row"])
        remain = batch["remain"]
        if not len(forget["row"]):
            return self.remain_weight * self._remain_loss(remain)
        forgotten, kept = self.forward_both(forget["image"], remain["image"])
        return self._forget_loss(forgotten, forget["row"]) + self.remain_weight * self._compare(kept, remain)

    def _labelled_of(self, forget: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return images and rows of those forget images that have a target."""
        images, rows = forget["image"], forget["row"]
        wanted = slice(None) if self._labelled is None else self._labelled[rows]
        return {"image": images[wanted], "row": rows[wanted]}

    def _forget_loss(self, logits: Tensor, rows: Tensor) -> Tensor:
        if not len(rows):
            # The optimiser needs a graph: a zero that depends on the weights.
            return sum((weight.sum() for weight in self.network.parameters()), torch.zeros(())) * 0.0
        return self.rule.loss(logits, self.targets[rows])

    def _remain_loss(self, remain: Mapping[str, Any]) -> Tensor:
        return self._compare(self.forward("remain", remain["image"]), remain)

    def _compare(self, logits: Tensor, remain: Mapping[str, Any]) -> Tensor:
        """Return the cross entropy with the remain images' classes, or with the teacher's softmax."""
        if self._teacher is None:
            return cross_entropy(logits, remain["label"])
        with torch.no_grad():
            teacher = self._teacher(remain["image"]).softmax(1)
        return cross_entropy(logits, teacher)

    def _log(self) -> None:
        trace = self.trace
        for step in trace.steps if trace is not None else ():
            logger.info(
                "search step %d of %d: inner objective %.4g, gap %.4g, slope %.4g",
                step.step,
                self.search.steps,
                step.objective,
                step.gap,
                step.slope,
            )
        logger.info(
            "%d of %d forget images left their class; searched in %s",
            self.flipped,
            len(self.used_rows),
            self.finder.precision,
        )
