"""The noise of perturbed sign gradients: its distribution and its scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from monai_unlearn.errors import ConfigError, check_choice

if TYPE_CHECKING:
    from collections.abc import Sequence

NOISE_DISTRIBUTIONS = ("normal", "laplace", "cauchy", "uniform")
NOISE_SCALES = ("absolute", "relative")


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Adds γ·z to gradients, z drawn at scale 1 (arXiv 2505.21872, Algorithm 1).

    Args:
        weight: γ, at least 0.
        distribution: Distribution of z; uniform is on (−1, 1).
        scale: `absolute` adds γ·z. But gradients differ in size: an image that the network is sure of has next to none,
            and the gradient of a mean shrinks with the batch. The same γ is then negligible for one image and swamps
            another. `relative` adds γ·z times the image's mean absolute gradient: with γ = 1, noise and gradient are of
            the same size for every image.

    Raises:
        ConfigError: A choice is unknown, or the weight is negative or not finite.
    """

    weight: float = 0.0
    distribution: str = "normal"
    scale: str = "absolute"

    def __post_init__(self) -> None:
        check_choice(self.distribution, NOISE_DISTRIBUTIONS, name="noise_distribution")
        check_choice(self.scale, NOISE_SCALES, name="noise_scale")
        if not 0 <= self.weight < math.inf:
            raise ConfigError(f"noise: expected a finite weight >= 0, got {self.weight}.")

    def perturb(self, gradient: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        """Return the gradients with noise added.

        Args:
            gradient: Shape (batch, channel, *spatial).
            generators: One for each image, on the CPU: draws depend neither on the device nor on the batch.
        """
        if not self.weight:
            return gradient
        draws = torch.stack([self.draw(gradient.shape[1:], generator) for generator in generators])
        draws = draws.to(gradient.device, gradient.dtype)
        if self.scale == "relative":
            draws = draws * gradient.abs().flatten(1).mean(1).view(-1, *[1] * (gradient.ndim - 1))
        return gradient + self.weight * draws

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Draw z of a shape, float32, on the CPU."""
        draw = torch.empty(tuple(shape))
        if self.distribution == "uniform":
            return draw.uniform_(-1, 1, generator=generator)
        if self.distribution == "cauchy":
            return draw.cauchy_(generator=generator)
        if self.distribution == "normal":
            return draw.normal_(generator=generator)
        # Laplace is the difference of two exponentials of rate 1.
        return draw.exponential_(generator=generator) - torch.empty(tuple(shape)).exponential_(generator=generator)


def image_generators(seed: int, rows: Sequence[int]) -> list[torch.Generator]:
    """Return a generator for each image, which depends on the seed and the row number alone."""
    return [torch.Generator().manual_seed(seed * 1_000_003 + row) for row in rows]
