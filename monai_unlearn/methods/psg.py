"""PSG: relabel the forget images by a perturbed sign gradient search, then train on those labels."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import BatchNormMode, Method, MethodContext
from monai_unlearn.methods.boundary import BoundarySearch
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from collections.abc import Mapping

SEARCH_BATCH = 64


@register(
    MethodInfo(
        name="psg",
        paper="Nahass et al. 2025, Targeted Unlearning Using Perturbed Sign Gradient Methods, arXiv 2505.21872",
        equations="Algorithms 1 (boundary search), 2 (hard labels), 3 (soft labels)",
        needs_remain=True,
        cost="T gradients a forget image once, then one gradient an image used a step",
    )
)
class PSG(Method):
    """Perturbed sign gradient unlearning (arXiv 2505.21872, Algorithms 1–3).

    `prepare` finds, for every forget image, a point across the nearest boundary of a frozen copy of the
    network, once, and keeps the label found there. Each step then descends on

        CE(f(x_forget), label found) + φ · CE(f(x_remain), its class)

    on the clean images. Departures from the published code, each measured to matter: BatchNorm statistics
    are frozen by default, labels are found once instead of at every step, closeness is computed in pixels.

    Args:
        epsilon: Radius of the search in pixel units.
        steps: Steps T of the search.
        closeness: λ of the search.
        noise: γ of the search.
        noise_distribution: normal, laplace, cauchy or uniform.
        labels: `hard` trains on the class found (Algorithm 2), `soft` on the frozen network's
            probabilities at the point found (Algorithm 3).
        remain_weight: φ, at least 0; 0 leaves the remain images out, as the paper's plain form does.
        batch_norm: See `Method`.
    """

    def __init__(
        self,
        *,
        epsilon: float = 0.1,
        steps: int = 1,
        closeness: float = 0.0,
        noise: float = 0.0,
        noise_distribution: str = "normal",
        labels: Literal["hard", "soft"] = "hard",
        remain_weight: float = 1.0,
        batch_norm: BatchNormMode = "frozen",
    ) -> None:
        super().__init__(batch_norm=batch_norm)
        if labels not in {"hard", "soft"} or remain_weight < 0:
            raise ConfigError(
                "psg: expected labels to be hard or soft and remain_weight >= 0, got "
                f"labels '{labels}' and remain_weight {remain_weight}."
            )
        self.search = BoundarySearch(
            epsilon=epsilon, steps=steps, closeness=closeness, noise=noise, noise_distribution=noise_distribution
        )
        self.labels = labels
        self.remain_weight = remain_weight
        self.targets = torch.empty(0)
        self.flipped = 0

    def prepare(self, context: MethodContext) -> None:
        """Find the boundary labels of all forget images on a frozen copy of the network."""
        super().prepare(context)
        frozen = copy.deepcopy(context.network).eval().requires_grad_(requires_grad=False)
        generator = torch.Generator().manual_seed(context.seed)
        found: list[Tensor] = []
        self.flipped = 0
        for batch in DataLoader(context.forget, batch_size=SEARCH_BATCH):
            images, classes = batch["image"].to(context.device), batch["label"].to(context.device)
            points = self.search.find(frozen, images, classes, pixel_space=context.pixel_space, generator=generator)
            with torch.no_grad():
                logits = frozen(points)
            self.flipped += int((logits.argmax(1) != classes).sum())
            found.append(logits.softmax(1) if self.labels == "soft" else logits.argmax(1))
        self.targets = torch.cat(found)

    @property
    def parts(self) -> tuple[str, ...]:
        """Forget images, and remain images where φ is not 0."""
        return ("forget", "remain") if self.remain_weight else ("forget",)

    @property
    def gradient_evaluations(self) -> int:
        """T for each forget image."""
        return self.search.steps * len(self.targets)

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Cross entropy on the labels found, plus φ times that on the remain images."""
        forget, remain = batch["forget"], batch["remain"]
        loss = cross_entropy(self.network(forget["image"]), self.targets[forget["row"]])
        if self.remain_weight:
            loss = loss + self.remain_weight * cross_entropy(self.network(remain["image"]), remain["label"])
        return loss
