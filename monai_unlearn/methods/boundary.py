"""The inner problem of PSG: move an image across the nearest decision boundary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.noise import Noise
from monai_unlearn.methods.projection import Box
from monai_unlearn.methods.schedules import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monai_unlearn.methods.diagnostics import SearchTrace
    from monai_unlearn.methods.pixel_space import PixelSpace


@dataclass(frozen=True, kw_only=True)
class BoundarySearch:
    """Signed ascent on the loss of an image under a fixed network (arXiv 2505.21872, Algorithm 1).

    From x₀ it takes `steps` steps, t = 1 … T, in pixel units:

        xₜ = Π( xₜ₋₁ + ε/√t · sign( ∇ₓ CE(f(xₜ₋₁), y) − λₜ (xₜ₋₁ − x₀) + γ zₜ ) )

    where Π projects onto the ε-ball around x₀ in the maximum norm and onto the valid pixel range (`Box`). −λ(x − x₀)
    is the gradient of −λ/2·‖x − x₀‖², which keeps the point close to its image. It is in pixel units throughout,
    whereas the published code subtracts pixel values from normalised ones, and it is 0 at the first step, where x is
    x₀. The loss is summed over the batch, so that an image's gradient does not depend on the rest of its batch; γz is
    added to that gradient.

    Args:
        epsilon: Radius ε of the ball, in pixel units, in (0, 1].
        steps: T, at least 1.
        proximity_weight: λ, at least 0.
        proximity_schedule: How λ changes over the steps: constant, inverse, exponential or linear.
        proximity_rate: Rate of the exponential schedule.
        noise: γ, at least 0.
        noise_distribution: Distribution of z, at scale 1; uniform is on (−1, 1).
        noise_scale: `absolute`, or `relative` to the image's mean absolute gradient; see `Noise`.
        bisection_steps: Bisections of the line from the image to the point found, at least 0; see
            `bisect_to_boundary`.

    Raises:
        ConfigError: An option is unknown or out of range.
    """

    epsilon: float = 0.1
    steps: int = 1
    proximity_weight: float = 0.0
    proximity_schedule: str = "constant"
    proximity_rate: float = 0.01
    noise: float = 0.0
    noise_distribution: str = "normal"
    noise_scale: str = "absolute"
    bisection_steps: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.epsilon <= 1 and self.steps >= 1 and self.proximity_weight >= 0 and self.noise >= 0):
            raise ConfigError(
                "boundary search: expected 0 < epsilon <= 1, steps >= 1, proximity_weight >= 0 and noise >= 0, got "
                f"epsilon {self.epsilon}, steps {self.steps}, proximity_weight {self.proximity_weight} and noise "
                f"{self.noise}."
            )
        if not (isinstance(self.bisection_steps, int) and self.bisection_steps >= 0):
            raise ConfigError(
                f"boundary search: expected a whole number of bisection_steps >= 0, got {self.bisection_steps}."
            )
        # Built here, so that a wrong choice is refused before anything is searched.
        _ = self._schedule, self._noise

    @property
    def _schedule(self) -> Schedule:
        return Schedule(start=self.proximity_weight, kind=self.proximity_schedule, rate=self.proximity_rate)

    @property
    def _noise(self) -> Noise:
        return Noise(weight=self.noise, distribution=self.noise_distribution, scale=self.noise_scale)

    def find(
        self,
        network: Callable[[Tensor], Tensor],
        inputs: Tensor,
        labels: Tensor,
        *,
        pixel_space: PixelSpace,
        generators: Sequence[torch.Generator] = (),
        trace: SearchTrace | None = None,
    ) -> Tensor:
        """Return the points found, as network inputs.

        Gradients flow to the points only. The network should be in eval mode: in train mode BatchNorm couples the
        images of a batch.

        Args:
            network: The fixed network f; its outputs are logits of shape (batch, class).
            inputs: Normalised images, shape (batch, channel, *spatial).
            labels: Their classes, shape (batch,).
            pixel_space: How inputs are computed from pixels.
            generators: Draw z, one for each image, on the CPU; needed if γ is not 0.
            trace: Records every step.
        """
        start = pixel_space.to_pixels(inputs)
        loss = partial(_losses, network=network, labels=labels, pixel_space=pixel_space)
        box = Box.around(start, self.epsilon, low=pixel_space.low, high=pixel_space.high)
        return pixel_space.to_inputs(self.ascend(loss, start, box=box, generators=generators, trace=trace))

    def bisect_to_boundary(
        self, network: Callable[[Tensor], Tensor], inputs: Tensor, points: Tensor, labels: Tensor
    ) -> Tensor:
        """Bisect the line from each image to its point; return points just across a boundary.

        The distance to the boundary differs by orders of magnitude between networks and between images. A step of fixed
        length therefore takes some images far past the boundary, into a class that is not the neighbour. Each of the
        `bisection_steps` halves the line: towards the image if the midpoint is predicted as another class, away from
        it if not. The result lies beyond a boundary by at most 2^−bisection_steps of the line; if no midpoint is
        predicted as another class, it is the point itself.

        Args:
            network: The fixed network f.
            inputs: Normalised images, shape (batch, channel, *spatial).
            points: What `find` returned for them, same shape.
            labels: Their classes, shape (batch,).

        Returns:
            Points of the same shape.
        """
        shape = (-1, *[1] * (inputs.ndim - 1))
        far = torch.ones(len(inputs), dtype=inputs.dtype, device=inputs.device)
        near = torch.zeros_like(far)
        with torch.no_grad():
            for _ in range(self.bisection_steps if len(inputs) else 0):
                middle = (near + far) / 2
                flipped = network(inputs + middle.view(shape) * (points - inputs)).argmax(1) != labels
                near, far = torch.where(flipped, near, middle), torch.where(flipped, middle, far)
        share = far.view(shape)
        # Points that did not move are returned as they are: the sum would round.
        return torch.where(share == 1, points, inputs + share * (points - inputs))

    def ascend(
        self,
        loss: Callable[[Tensor], Tensor],
        start: Tensor,
        *,
        box: Box,
        generators: Sequence[torch.Generator] = (),
        trace: SearchTrace | None = None,
    ) -> Tensor:
        """Take the steps on any loss, which need not be that of a network.

        Args:
            loss: Maps points (batch, …) to values (batch,).
            start: x₀, shape (batch, …).
            box: What Π projects onto.
            generators: Draw z, one for each point.
            trace: Records every step.
        """
        point = start
        for step in range(1, self.steps + 1):
            weight = self._schedule.at(step, self.steps)
            values, gradient = _gradient(loss, point)
            gradient = gradient - weight * (point - start)
            size = self.epsilon / math.sqrt(step)
            if trace is not None:
                objective = values - weight / 2 * (point - start).square().flatten(1).sum(1)
                trace.record(size=size, objective=objective, gradient=gradient, point=point, box=box)
            moved = point + size * self._noise.perturb(gradient, generators).sign()
            point = box.project(moved)
        return point


def _losses(points: Tensor, *, network: Callable[[Tensor], Tensor], labels: Tensor, pixel_space: PixelSpace) -> Tensor:
    return cross_entropy(network(pixel_space.to_inputs(points)), labels, reduction="none")


def _gradient(loss: Callable[[Tensor], Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
    points = points.detach().requires_grad_()
    with torch.enable_grad():
        values = loss(points)
    return values.detach(), torch.autograd.grad(values.sum(), points)[0]
