"""The perturbation in perturbed sign gradients: what is drawn, and how large it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from monai_unlearn.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

NOISE_DISTRIBUTIONS = ("normal", "laplace", "cauchy", "uniform")
NOISE_SCALES = ("absolute", "relative")


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Adds γ·z to gradients, z drawn at scale 1 (arXiv 2505.21872, Algorithm 1).

    Args:
        weight: γ, at least 0.
        distribution: What z is drawn from; uniform means (−1, 1).
        scale: `absolute` adds γ·z as it is. But the size of a gradient depends on the loss (an image that the
            network is sure of has next to none) and, where the loss is a mean, on the batch, so that one γ
            is nothing for one image and drowns the next. `relative` adds γ·z times the image's mean absolute
            gradient: γ = 1 is then as loud as the gradient is, for every image.
    """

    weight: float = 0.0
    distribution: str = "normal"
    scale: str = "absolute"

    def __post_init__(self) -> None:
        for name, word, known in (
            ("noise_distribution", self.distribution, NOISE_DISTRIBUTIONS),
            ("noise_scale", self.scale, NOISE_SCALES),
        ):
            if word not in known:
                raise ConfigError(
                    f"noise: expected {name} to be one of {', '.join(known)}, got '{word}'."
                    + did_you_mean(str(word), known)
                )
        if not 0 <= self.weight < math.inf:
            raise ConfigError(f"noise: expected a finite weight >= 0, got {self.weight}.")

    def perturb(self, gradient: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        """Return the gradients with noise added.

        Args:
            gradient: Shape (batch, channel, *spatial).
            generators: One an image, on the CPU: the draws are the same on every device, and whichever
                images share a batch.
        """
        if not self.weight:
            return gradient
        draws = torch.stack([self.draw(gradient.shape[1:], generator) for generator in generators])
        draws = draws.to(gradient.device, gradient.dtype)
        if self.scale == "relative":
            draws = draws * gradient.abs().flatten(1).mean(1).view(-1, *[1] * (gradient.ndim - 1))
        return gradient + self.weight * draws

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Return z of a shape, float32, on the CPU."""
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
    """Return a generator for each image, by seed and row number alone."""
    return [torch.Generator().manual_seed(seed * 1_000_003 + row) for row in rows]
