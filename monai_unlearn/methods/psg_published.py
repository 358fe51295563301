"""PSG as its published code runs it, with its own λ and γ, reproduced for comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.noise import Noise, image_generators
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.relabelling import PUBLISHED, RelabellingLoop
from monai_unlearn.methods.schedules import Schedule

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# Far apart, so that no step of one seed has the draws of a step of another; within the range of torch's seeds.
_STRIDE, _BITS = 1_000_003, 40


@register(
    MethodInfo(
        name="psg_published",
        paper="Nahass et al. 2025, Targeted Unlearning Using Perturbed Sign Gradient Methods, arXiv 2505.21872",
        equations="the loop of the published code: one perturbed sign step, repeated at every update",
        needs=("forget",),
        suits=("class",),
        batch_norm="train mode on forget images alone, as published",
        boundary_targets=True,
        search_space={
            "method::noise": (1e-4, 1e-3),
            "method::remain_weight": (0.0, 1.0),
            "training::rate_factor": (1.0, 0.1),
        },
        cost="two gradients and a forward pass per forget image of each step, one gradient and the pass for its label",
    )
)
class PublishedPSG(RelabellingLoop):
    """The loop of the published code of arXiv 2505.21872 with λ or γ set, for comparison.

    The direction of its step, in pass t = 1 … T over the forget images, with z drawn at scale 1, is

        d = ∇ₓ mean CE(f₀(x), y) + λₜ (x − p) + γ z

    As in the published code, the gradient is taken with respect to the normalised image x. In pixels it would be 1/std
    times as large, and λ and γ would weigh that much less. λ mixes normalised and pixel values, and γ adds to the
    gradient of a mean over the batch; both are kept as published. A schedule of λ runs over the passes (`Schedule`,
    with t counted from 1), not over the steps of a search, of which there is one. z is drawn anew at every step, from
    the seed, the step and the image's row. For the loop itself, see `RelabellingLoop`.

    Args:
        proximity_weight: λ, at least 0.
        proximity_schedule: How λ changes over the passes; see `Schedule`.
        proximity_rate: Rate of the exponential schedule.
        passes: T, at least 1: into how many passes the steps of the run are divided for the schedule.
        noise: γ, at least 0.
        noise_distribution: normal, laplace, cauchy or uniform.
        labels: `hard` or `soft`; see `TargetRule`.
        top_k: Keeps the k largest logits; see `TargetRule`.
        remain_weight: φ, at least 0: weight of the cross entropy on remain images; the plain loop has none.

    Raises:
        ConfigError: λ and γ are both 0, which is boundary shrinking; or an option is out of range.
    """

    def __init__(  # noqa: PLR0913 - a config names each option
        self,
        *,
        proximity_weight: float = 0.0,
        proximity_schedule: str = "constant",
        proximity_rate: float = 0.01,
        passes: int = PUBLISHED.passes,
        noise: float = 0.0,
        noise_distribution: str = "normal",
        labels: Literal["hard", "soft"] = "hard",
        top_k: int | None = None,
        remain_weight: float = 0.0,
    ) -> None:
        super().__init__(labels=labels, top_k=top_k, remain_weight=remain_weight)
        if passes < 1:
            raise ConfigError(f"psg_published: expected passes of at least 1, got {passes}.")
        self.schedule = Schedule(start=proximity_weight, kind=proximity_schedule, rate=proximity_rate)
        self.proximity_weight, self.proximity_schedule = proximity_weight, proximity_schedule
        self.proximity_rate, self.passes = proximity_rate, passes
        self.noise = Noise(weight=noise, distribution=noise_distribution)
        if not (self.proximity_weight or self.noise.weight):
            raise ConfigError(
                "psg_published: expected proximity_weight or noise above 0, got 0 for both. With neither, the loop is "
                "boundary shrinking: use boundary_shrink, as a preset of PSG or as the class BoundaryShrink."
            )

    def direction(self, gradient: Tensor, inputs: Tensor, pixels: Tensor, rows: Tensor) -> Tensor:
        """Return the gradient plus λ (x − p) and γ z."""
        proximity = self.schedule.at(self.current_pass, self.passes)
        return self.noise.perturb(gradient + proximity * (inputs - pixels), self._generators(rows))

    @property
    def current_pass(self) -> int:
        """The pass of the current step, from 1 to T."""
        # The share taken is a rounded quotient: at the start of a pass it may be a hair below.
        return 1 + int(self.done * self.passes + 1e-9)

    def _generators(self, rows: Tensor) -> list[torch.Generator]:
        """Return a generator for each image, which depends on the seed, the step and the row alone."""
        if not self.noise.weight:
            return []
        return image_generators((self._seed * _STRIDE + self._steps) % 2**_BITS, rows.tolist())
