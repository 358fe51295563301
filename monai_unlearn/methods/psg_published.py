"""PSG as its published code runs it, with its own λ and γ, reproduced for comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.noise import Noise
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.relabelling import RelabellingLoop
from monai_unlearn.methods.schedules import Schedule

if TYPE_CHECKING:
    from torch import Tensor


@register(
    MethodInfo(
        name="psg_published",
        paper="Nahass et al. 2025, Targeted Unlearning Using Perturbed Sign Gradient Methods, arXiv 2505.21872",
        equations="the loop of the published code: one perturbed sign step, repeated at every update",
        needs=("forget",),
        suits=("class",),
        batch_norm="train mode on forget images alone, as published",
        boundary_targets=True,
        cost="two gradients per forget image of each step, one of them for the search",
    )
)
class PublishedPSG(RelabellingLoop):
    """The loop of the published code of arXiv 2505.21872 with λ or γ set, for comparison.

    The direction of its step, with z drawn at scale 1, is

        d = ∇ₓ mean CE(f₀(x), y) + λ (x − p) + γ z

    As in the published code, the gradient is taken with respect to the normalised image x. In pixels it would be 1/std
    times as large, and λ and γ would weigh that much less. λ mixes normalised and pixel values, and γ adds to the
    gradient of a mean over the batch; both are kept as published. For the loop itself, see `RelabellingLoop`.

    Args:
        proximity_weight: λ, at least 0, constant.
        noise: γ, at least 0.
        noise_distribution: normal, laplace, cauchy or uniform.
        labels: `hard` or `soft`; see `TargetRule`.
        top_k: Keeps the k largest logits; see `TargetRule`.
        remain_weight: φ, at least 0: weight of the cross entropy on remain images; the plain loop has none.

    Raises:
        ConfigError: λ and γ are both 0, which is boundary shrinking; or an option is out of range.
    """

    def __init__(
        self,
        *,
        proximity_weight: float = 0.0,
        noise: float = 0.0,
        noise_distribution: str = "normal",
        labels: Literal["hard", "soft"] = "hard",
        top_k: int | None = None,
        remain_weight: float = 0.0,
    ) -> None:
        super().__init__(labels=labels, top_k=top_k, remain_weight=remain_weight)
        self.proximity_weight = Schedule(start=proximity_weight).start
        self.noise = Noise(weight=noise, distribution=noise_distribution)
        if not (self.proximity_weight or self.noise.weight):
            raise ConfigError(
                "psg_published: expected proximity_weight or noise above 0, got 0 for both. With neither, the loop is "
                "boundary shrinking: use boundary_shrink, as a preset of PSG or as the class BoundaryShrink."
            )

    def direction(self, gradient: Tensor, inputs: Tensor, pixels: Tensor) -> Tensor:
        """Return the gradient plus λ (x − p) and γ z."""
        return gradient + self.proximity_weight * (inputs - pixels) + self._draw(pixels)

    def _draw(self, like: Tensor) -> Tensor:
        if not self.noise.weight:
            return torch.zeros_like(like)
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._steps)
        return self.noise.weight * self.noise.draw(like.shape, generator).to(like.device, like.dtype)
