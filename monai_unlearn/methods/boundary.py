"""The inner problem of PSG: from an image to a class on the other side of the nearest boundary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from monai_unlearn.methods.base import PixelSpace

NOISE_DISTRIBUTIONS = ("normal", "laplace", "cauchy", "uniform")


@dataclass(frozen=True, kw_only=True)
class BoundarySearch:
    """Signed ascent on the loss of an image under a fixed network (arXiv 2505.21872, Algorithm 1).

    From x₀ it takes `steps` steps, t = 1 … T, in pixel units:

        xₜ = Π( xₜ₋₁ + ε/√t · sign( ∇ₓ CE(f(xₜ₋₁), y) − λ (xₜ₋₁ − x₀) + γ zₜ ) )

    where Π projects on the ε-ball around x₀ in the maximum norm and on the valid pixel range. −λ(x − x₀) is
    the gradient of −λ/2·‖x − x₀‖², which holds the point close to its image; it is computed in pixel units
    throughout, whereas the published code subtracts pixel values from normalised ones. The loss is summed
    over the batch, so that an image's gradient does not depend on its companions; γ adds to that gradient.

    Args:
        epsilon: Radius ε of the ball, in pixel units, in (0, 1].
        steps: T, at least 1.
        closeness: λ, at least 0.
        noise: γ, at least 0.
        noise_distribution: What z is drawn from, at scale 1; uniform means (−1, 1).
    """

    epsilon: float = 0.1
    steps: int = 1
    closeness: float = 0.0
    noise: float = 0.0
    noise_distribution: str = "normal"

    def __post_init__(self) -> None:
        if not (0 < self.epsilon <= 1 and self.steps >= 1 and self.closeness >= 0 and self.noise >= 0):
            raise ConfigError(
                "boundary search: expected 0 < epsilon <= 1, steps >= 1, closeness >= 0 and noise >= 0, got "
                f"epsilon {self.epsilon}, steps {self.steps}, closeness {self.closeness}, noise {self.noise}."
            )
        if self.noise_distribution not in NOISE_DISTRIBUTIONS:
            raise ConfigError(
                f"boundary search: expected noise_distribution to be one of {', '.join(NOISE_DISTRIBUTIONS)}, "
                f"got '{self.noise_distribution}'."
            )

    def find(
        self, network: nn.Module, inputs: Tensor, labels: Tensor, *, pixel_space: PixelSpace, generator: torch.Generator
    ) -> Tensor:
        """Return the points found, as network inputs.

        Gradients flow to the points only. The network should be in eval mode: in train mode BatchNorm
        would couple the images of a batch.

        Args:
            network: The fixed network f; its outputs are logits of shape (batch, class).
            inputs: Normalised images, shape (batch, channel, *spatial).
            labels: Their classes, shape (batch,).
            pixel_space: How inputs follow from pixels.
            generator: Draws z, on the CPU so that the draws are the same on every device.
        """
        start = pixel_space.to_pixels(inputs)
        lowest = (start - self.epsilon).clamp_min(pixel_space.low)
        highest = (start + self.epsilon).clamp_max(pixel_space.high)
        point = start
        for step in range(1, self.steps + 1):
            gradient = self._gradient(network, point, labels, pixel_space) - self.closeness * (point - start)
            if self.noise:
                gradient = gradient + self.noise * self._draw(gradient, generator)
            moved = point + self.epsilon / math.sqrt(step) * gradient.sign()
            point = torch.minimum(torch.maximum(moved, lowest), highest)
        return pixel_space.to_inputs(point)

    @staticmethod
    def _gradient(network: nn.Module, pixels: Tensor, labels: Tensor, pixel_space: PixelSpace) -> Tensor:
        pixels = pixels.detach().requires_grad_()
        with torch.enable_grad():
            loss = cross_entropy(network(pixel_space.to_inputs(pixels)), labels, reduction="sum")
        return torch.autograd.grad(loss, pixels)[0]

    def _draw(self, like: Tensor, generator: torch.Generator) -> Tensor:
        draw = torch.empty(like.shape)
        if self.noise_distribution == "uniform":
            draw.uniform_(-1, 1, generator=generator)
        elif self.noise_distribution == "cauchy":
            draw.cauchy_(generator=generator)
        elif self.noise_distribution == "normal":
            draw.normal_(generator=generator)
        else:  # Laplace: the difference of two exponentials of rate 1
            draw.exponential_(generator=generator)
            draw -= torch.empty(like.shape).exponential_(generator=generator)
        return draw.to(like.device, like.dtype)
