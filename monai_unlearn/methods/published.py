"""The published PSG loop, reproduced for comparison: its numbers are what this package's must stand beside."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import Method, MethodContext, PixelSpace
from monai_unlearn.methods.noise import Noise
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.schedules import Schedule
from monai_unlearn.methods.targets import TargetRule

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)
OPTIONS = ("proximity_weight", "noise", "noise_distribution", "labels", "top_k", "remain_weight")


@dataclass(frozen=True, kw_only=True)
class PublishedSettings:
    """What the published loop is run with; a config takes its optimiser from here.

    Args:
        epsilon: Bound of the single search step, in pixel units.
        levels: Pixel values are rounded to multiples of one over this.
        learning_rate: Of stochastic gradient descent.
        momentum: Of stochastic gradient descent.
        passes: Passes over the forget images.
        batch_size: Forget images a batch.
        recalibrate: Whether BatchNorm statistics are estimated anew on remain images at the end: they are not.
    """

    epsilon: float = 0.1
    levels: int = 255
    learning_rate: float = 1e-5
    momentum: float = 0.9
    passes: int = 10
    batch_size: int = 64
    recalibrate: bool = False


PUBLISHED = PublishedSettings()


@register(
    MethodInfo(
        name="psg-published",
        paper="Nahass et al. 2025, Targeted Unlearning Using Perturbed Sign Gradient Methods, arXiv 2505.21872",
        equations="the loop of the published code: a single search step, repeated at every update",
        needs_remain=False,
        cost="two gradients a forget image a step, one of them for the search",
    )
)
class PublishedPSG(Method):
    """The loop of the published code of arXiv 2505.21872. For comparison only.

    At every step it searches anew, on a frozen copy in eval mode, from the batch's forget images, with pixels p,
    normalised values x = (p − mean)/std and z from the noise distribution:

        p' = round₂₅₅( clamp₀₁( p + 0.1 · sign( ∇ₚ mean CE(f(x), y) + λ (x − p) + γ z ) ) )

    and descends on the cross entropy of the clean images with the label that the copy reads at p'. BatchNorm
    runs in train mode, on forget images alone. λ thus compares two spaces, and γ is held against the gradient
    of a mean over the batch: both are kept as they are, as is the cost (gradients of the copy's weights are
    computed and thrown away, and the label is read with a graph).

    Args:
        proximity_weight: λ, at least 0, constant.
        noise: γ, at least 0.
        noise_distribution: normal, laplace, cauchy or uniform.
        labels: `hard` or `soft`; see `TargetRule`.
        top_k: Keeps the k largest logits; see `TargetRule`.
        remain_weight: φ, at least 0: weight of the cross entropy on remain images; the plain loop has none.
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
        super().__init__(batch_norm="published")
        if remain_weight < 0:
            raise ConfigError(f"psg: expected remain_weight >= 0, got {remain_weight}.")
        self.proximity_weight = Schedule(start=proximity_weight).start
        self.noise = Noise(weight=noise, distribution=noise_distribution)
        self.rule = TargetRule(labels=labels, top_k=top_k)
        self.remain_weight = remain_weight
        self._searched = 0
        self._steps = 0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> PublishedPSG:
        """Return the loop with those options that it knows; name the others, which the preset settles."""
        if settled := sorted(set(options) - set(OPTIONS)):
            logger.warning("psg: preset published settles %s itself; what is set for it is not used", settled)
        return cls(**{name: value for name, value in options.items() if name in OPTIONS})

    def prepare(self, context: MethodContext) -> None:
        """Take the frozen copy that all searches run on."""
        super().prepare(context)
        self._frozen: nn.Module = copy.deepcopy(context.network).eval()
        self._pixel_space: PixelSpace = context.pixel_space
        self._seed = context.seed

    @property
    def parts(self) -> tuple[str, ...]:
        """Forget images, and remain images where φ is not 0; in the repair phase remain images alone."""
        if self.phase == "repair":
            return ("remain",)
        return ("forget", "remain") if self.remain_weight else ("forget",)

    @property
    def gradient_evaluations(self) -> int:
        """One for each forget image of each step so far."""
        return self._searched

    def state_dict(self) -> dict[str, Any]:
        """Return how far the draws and the count have come."""
        return {"steps": self._steps, "searched": self._searched}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` gave.

        Raises:
            ConfigError: The state is another method's.
        """
        if set(state) - {"steps", "searched"}:
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))} where the published loop keeps searched and steps. "
                "Delete the checkpoint to start anew."
            )
        self._steps, self._searched = int(state.get("steps", 0)), int(state.get("searched", 0))

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the cross entropy on labels searched for this step."""
        if self.phase == "repair":
            return self._remain_loss(batch["remain"])
        forget = batch["forget"]
        targets = self.search(forget["image"], forget["label"])
        loss = self.rule.loss(self.read("forget", forget["image"]), targets)
        return loss + self.remain_weight * self._remain_loss(batch["remain"]) if self.remain_weight else loss

    def search(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Return the targets of a batch, found by one step on the frozen copy.

        Args:
            inputs: Normalised images, shape (batch, channel, *spatial).
            labels: Their classes, shape (batch,).
        """
        space = self._pixel_space
        pixels = space.to_pixels(inputs).detach().requires_grad_()
        cross_entropy(self._frozen(space.to_inputs(pixels)), labels).backward()  # type: ignore[no-untyped-call]  # torch
        gradient = torch.zeros_like(pixels) if pixels.grad is None else pixels.grad
        self._frozen.zero_grad(set_to_none=True)
        pixels = pixels.detach()
        direction = gradient + self.proximity_weight * (inputs - pixels) + self._draw(pixels)
        moved = (pixels + PUBLISHED.epsilon * direction.sign()).clamp(space.low, space.high)
        moved = (moved * PUBLISHED.levels).round() / PUBLISHED.levels
        self._searched += len(inputs)
        self._steps += 1
        logits: Tensor = self._frozen(space.to_inputs(moved))
        return self.rule.targets(logits.detach(), labels)

    def _draw(self, like: Tensor) -> Tensor:
        if not self.noise.weight:
            return torch.zeros_like(like)
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._steps)
        return self.noise.weight * self.noise.draw(like.shape, generator).to(like.device, like.dtype)

    def _remain_loss(self, remain: Mapping[str, Any]) -> Tensor:
        return cross_entropy(self.read("remain", remain["image"]), remain["label"])
