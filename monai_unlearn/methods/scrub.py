"""SCRUB: move away from the original on forget images, in turn with staying close to it on remain images."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import FORWARD_PASS, Method, StepSettings
from monai_unlearn.methods.passes import batches_of, frozen_copy, size_of, unchanged
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import distillation_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.methods.base import BatchNormMode, MethodContext

# Of a run, as in the paper; `rewind` keeps the weights after each.
PASSES = 10
_STATE = ("kept", "steps")
logger = logging.getLogger(__name__)


@register(
    MethodInfo(
        name="scrub",
        paper="Kurmanji et al. 2023, Towards Unbounded Machine Unlearning, NeurIPS, arXiv 2302.09880",
        equations="maximal divergence from the original on forget images, in turn with minimal divergence and "
        "training's own loss on remain images; SCRUB+R with `rewind`, which needs validation images of the forget part",
        needs=("forget", "remain"),
        suits=("class", "part_of_class", "labels"),
        batch_norm="train mode on remain images, running statistics on forget images",
        cost="one gradient and one forward pass of the original per image of each step, which takes one part; with "
        "`rewind` ten forward passes per forget image",
        search_space={
            "method::forget_share": (0.3, 0.1, 0.5),
            "training::rate_factor": (0.3, 0.1, 1.0),
        },
    )
)
class SCRUB(Method):
    """Disobeys the original on forget images and obeys it on remain images.

    With the original f₀ and d(x) = T² KL( f₀(x) ‖ f(x) ), softmax at temperature T, every other step among the first
    `forget_share` of the steps is a max step, which descends on −d(x_forget). All others are min steps, which descend
    on

        a d(x_remain) + γ L(f(x_remain), y),  L being training's own loss

    `rewind` is SCRUB+R: the weights are kept after each tenth of the steps, and at the end those come back whose error
    on the forget training images is nearest to the final network's error on validation images of the forget part,
    weighted to the same class frequencies. It is for cohorts whose images a retrained network would often classify
    correctly, such as a consent withdrawal.

    d has no upper bound. What keeps the weights finite: the trainer's clipping of gradients, min steps between the max
    steps, and that the max steps end early. Departures: max and min steps take turns batch by batch and not pass by
    pass; the first step is a min step, since d has no gradient at the original's weights; optimiser, rate and
    augmentation of remain images are training's own.

    Args:
        forget_share: Share of the steps that hold max steps, in [0, 1]; 0.3 is 3 of 10 passes.
        temperature: T, above 0.
        label_weight: γ, at least 0.
        distillation_weight: a (alpha in the paper), at least 0.
        rewind: Whether to choose among kept weights at the end.
        batch_norm: See `Method`.

    Raises:
        ConfigError: A value is out of range.
    """

    steps = StepSettings(batch_size=16, remain_batch_size=16)

    def __init__(
        self,
        *,
        forget_share: float = 0.3,
        temperature: float = 2.0,
        label_weight: float = 1.0,
        distillation_weight: float = 0.5,
        rewind: bool = False,
        batch_norm: BatchNormMode = "remain",
    ) -> None:
        super().__init__(batch_norm=batch_norm)
        weights = (label_weight, distillation_weight)
        if not (0 <= forget_share <= 1 and temperature > 0 and all(0 <= weight < math.inf for weight in weights)):
            raise ConfigError(
                "scrub: expected forget_share in [0, 1], temperature above 0, and finite label_weight and "
                f"distillation_weight >= 0, got {forget_share}, {temperature}, {label_weight} and "
                f"{distillation_weight}."
            )
        self.forget_share = forget_share
        self.temperature = temperature
        self.label_weight = label_weight
        self.distillation_weight = distillation_weight
        self.rewind = rewind
        self._steps = 0
        self._ascends = False
        self._passed = 0
        self._kept: list[dict[str, Tensor]] = []

    def prepare(self, context: MethodContext) -> None:
        """Keep the original as the teacher.

        Raises:
            ConfigError: `rewind` is set and the forget part has no validation images.
        """
        super().prepare(context)
        if self.rewind and "forget" not in context.validation:
            raise ConfigError(
                "scrub: rewind needs validation images of the forget part, got none. Set rewind: false, or a split "
                "that puts patients in validation."
            )
        self._context = context
        self._original = frozen_copy(context.network)

    def state_dict(self) -> dict[str, Any]:
        """Return the number of steps taken, and the weights kept for rewinding."""
        return {"steps": self._steps, "kept": list(self._kept)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ConfigError: The state is another method's.
        """
        if state and set(state) != set(_STATE):
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))}, but scrub keeps {' and '.join(_STATE)}. "
                "Delete the checkpoint to start from scratch."
            )
        self._steps, self._kept = int(state.get("steps", 0)), list(state.get("kept", ()))

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss of a max step or of a min step."""
        self._ascends = self.phase == "forget" and self.done < self.forget_share and self._steps % 2 == 1
        if self._ascends:
            forget = batch["forget"]
            return -self._divergence(self.forward("forget", forget["image"]), forget["image"])
        remain = batch["remain"]
        logits = self.forward("remain", remain["image"])
        loss = self.label_weight * self._context.training_loss(logits, remain["label"])
        if not self.distillation_weight:
            return loss
        return loss + self.distillation_weight * self._divergence(logits, remain["image"])

    def after_step(self) -> None:
        """Count the step, and keep the weights after each tenth of the steps."""
        self._steps += 1
        if self.rewind and int(self.done * PASSES) > len(self._kept):
            self._kept.append({name: value.detach().cpu().clone() for name, value in self.network.state_dict().items()})

    def finish(self) -> None:
        """With `rewind`, put the weights back whose forget error is nearest to that of images never trained on."""
        if not self.rewind:
            return
        self._passed = 0
        final = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        held = self._outcomes(self._context.validation["forget"])
        errors = []
        for weights in (*self._kept, final):
            self.network.load_state_dict(weights)
            found = self._outcomes(self._context.forget)
            errors.append(_error(found, like=found))
        wanted = _error(held, like=found)
        if not ((held[0] > 0) & (found[0] > 0)).any():
            logger.warning("scrub: no validation image is of a class of the forget images; nothing was rewound")
            return
        # Of equally near ones the latest, which has forgotten longest.
        place = min(reversed(range(len(errors))), key=lambda number: abs(errors[number] - wanted))
        self.network.load_state_dict((*self._kept, final)[place])
        logger.info(
            "rewound to the weights after %d of %d tenths of the steps: error on forget images %.3f, wanted %.3f",
            place + 1,
            len(errors),
            errors[place],
            wanted,
        )

    @property
    def parts(self) -> tuple[str, ...]:
        """Forget images in a max step, remain images in a min step."""
        return ("forget",) if self._ascends else ("remain",)

    @property
    def taught(self) -> tuple[str, ...]:
        """The images of the step, which pass through the original."""
        return self.parts if self._ascends or self.distillation_weight else ()

    @property
    def forward_passes(self) -> int:
        """Those that rewinding takes."""
        return self._passed

    def gradients_a_step(self, *, forget: int, remain: int) -> float:
        """Return the mean of max and min steps over a run, with their teacher's forward passes."""
        share = self.forget_share / 2
        taught = FORWARD_PASS if self.distillation_weight else 0.0
        return share * forget * (1 + FORWARD_PASS) + (1 - share) * remain * (1 + taught)

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """With `rewind`, ten forward passes for each forget image, which come at the end."""
        return FORWARD_PASS * PASSES * forget if self.rewind else 0

    def _divergence(self, logits: Tensor, images: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self._original(images)
        return distillation_loss(logits, wanted, temperature=self.temperature)

    def _outcomes(self, images: Dataset[Any]) -> Tensor:
        """Return how many images of each class there are and how many are misclassified, shape (2, class)."""
        context, count = self._context, size_of(images)
        own = Subset(images, range(context.rank, count, context.world_size))
        counts = torch.zeros(2, self._classes(images), dtype=torch.long, device=context.device)
        with unchanged(self.network), torch.no_grad():
            for inputs, labels in batches_of(own, context.device):
                wrong = self.network(inputs).argmax(1) != labels
                for row, chosen in enumerate((labels, labels[wrong])):
                    counts[row] += torch.bincount(chosen, minlength=counts.shape[1])
        self._passed += count
        return context.all_reduce_sum(counts)

    def _classes(self, images: Dataset[Any]) -> int:
        image = torch.as_tensor(images[0]["image"])[None].to(self._context.device)
        with torch.no_grad():
            return int(self._original(image).shape[1])


def _error(outcomes: Tensor, *, like: Tensor) -> float:
    """Return the error with the class frequencies of other outcomes, over the classes that both have."""
    images, wrong = outcomes.double()
    shares = torch.where(images > 0, like[0], 0).double()
    return float((shares * wrong / images.clamp_min(1)).sum() / shares.sum().clamp_min(1))
