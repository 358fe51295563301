"""The training loop of the published PSG code: relabel each forget batch by one sign step, then train on it.

With λ = γ = 0 the loop is boundary shrinking; see `BoundaryShrink`. `PublishedPSG` adds λ and γ.
"""

from __future__ import annotations

import copy
import inspect
import logging
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import FORWARD_PASS, Method, MethodContext, StepSettings
from monai_unlearn.methods.registry import info_of
from monai_unlearn.methods.targets import TargetRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from monai_unlearn.methods.pixel_space import PixelSpace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PublishedSettings:
    """The settings of the published code, fixed; a config takes its optimiser from here.

    Args:
        epsilon: Size of the sign step, in pixel units.
        levels: Pixel values are rounded to multiples of one over this.
        learning_rate: Of stochastic gradient descent.
        momentum: Of stochastic gradient descent.
        passes: Passes over the forget images.
        batch_size: Forget images per batch.
        recalibrate: Whether BatchNorm statistics are recalibrated on remain images at the end; they are not.
    """

    epsilon: float = 0.1
    levels: int = 255
    learning_rate: float = 1e-5
    momentum: float = 0.9
    passes: int = 10
    batch_size: int = 64
    recalibrate: bool = False


PUBLISHED = PublishedSettings()


class RelabellingLoop(Method):
    """The loop of the code of arXiv 2505.21872, for comparison; subclasses say in which direction it searches.

    At every step it searches again, on a frozen copy f₀ of the network in eval mode, from the clean forget images
    with pixels p and normalised values x = (p − mean)/std:

        p' = round₂₅₅( clamp₀₁( p + 0.1 · sign( d ) ) ),  d from g = ∇ₓ mean CE(f₀(x), y)

    and descends on the cross entropy of the clean images with the label that f₀ predicts at p'. BatchNorm runs in
    train mode, on forget images alone. The cost of the published code is kept as well: it computes gradients of the
    copy's weights and discards them, and predicts the label with a graph.

    Args:
        labels: `hard` or `soft`; see `TargetRule`.
        top_k: Keeps the k largest logits; see `TargetRule`.
        remain_weight: φ, at least 0: weight of the cross entropy on remain images; the plain loop has none.
    """

    # Its own settings and not training's; `PUBLISHED` has those of the published code.
    steps = StepSettings(learning_rate=0.5, warm_up=0.2, batch_size=4, remain_batch_size=28, as_training=False)

    def __init__(
        self,
        *,
        labels: Literal["hard", "soft"] = "hard",
        top_k: int | None = None,
        remain_weight: float = 0.0,
    ) -> None:
        super().__init__(batch_norm="published")
        if remain_weight < 0:
            raise ConfigError(f"{info_of(self).name}: expected remain_weight >= 0, got {remain_weight}.")
        self.rule = TargetRule(labels=labels, top_k=top_k)
        self.remain_weight = remain_weight
        self._searched = 0
        self._steps = 0

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Return the loop with those of PSG's options that it takes; log the names of the ignored ones."""
        known = inspect.signature(cls).parameters
        method = cls(**{name: value for name, value in options.items() if name in known})
        if ignored := sorted(set(options) - set(known)):
            logger.warning("psg: the preset %s ignores the options %s", info_of(method).name, ", ".join(ignored))
        return method

    @abstractmethod
    def direction(self, gradient: Tensor, inputs: Tensor, pixels: Tensor, rows: Tensor) -> Tensor:
        """Return d; the step moves along sign(d). All shapes but the last are (batch, channel, *spatial).

        Args:
            gradient: g, with respect to the normalised images.
            inputs: x, the normalised images.
            pixels: p, the same images in pixel units.
            rows: The rows of the images, shape (batch,).
        """

    def prepare(self, context: MethodContext) -> None:
        """Make the frozen copy that every search runs on."""
        super().prepare(context)
        self._frozen: nn.Module = copy.deepcopy(context.network).eval()
        self._pixel_space: PixelSpace = context.pixel_space
        self._seed = context.seed
        self._world_size = context.world_size

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

    @property
    def forward_passes(self) -> int:
        """One for the label of each forget image of each step so far."""
        return self._searched

    def gradients_a_step(self, *, forget: int, remain: int) -> float:
        """As its parts say; and of each forget image one gradient and one forward pass for its label."""
        return super().gradients_a_step(forget=forget, remain=remain) + (1 + FORWARD_PASS) * forget

    def state_dict(self) -> dict[str, Any]:
        """Return how many steps were taken and how many images were searched."""
        return {"steps": self._steps, "searched": self._searched}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ConfigError: The state is another method's.
        """
        if set(state) - {"steps", "searched"}:
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))}, but {info_of(self).name} keeps searched and steps. "
                "Delete the checkpoint to start from scratch."
            )
        self._steps, self._searched = int(state.get("steps", 0)), int(state.get("searched", 0))

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the cross entropy on labels searched for in this step."""
        if self.phase == "repair":
            return self._remain_loss(batch["remain"])
        forget = batch["forget"]
        targets = self.search(forget["image"], forget["label"], forget["row"])
        loss = self.rule.loss(self.forward("forget", forget["image"]), targets)
        return loss + self.remain_weight * self._remain_loss(batch["remain"]) if self.remain_weight else loss

    def after_step(self) -> None:
        """Count the step."""
        self._steps += 1

    def search(self, inputs: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        """Return the targets of a batch, found by one sign step on the frozen copy.

        Args:
            inputs: Normalised images, shape (batch, channel, *spatial).
            labels: Their classes, shape (batch,).
            rows: Their rows, shape (batch,).
        """
        space = self._pixel_space
        pixels = space.to_pixels(inputs).detach()
        direction = self.direction(self._gradient(space.to_inputs(pixels), labels), inputs, pixels, rows)
        moved = (pixels + PUBLISHED.epsilon * direction.sign()).clamp(space.low, space.high)
        moved = (moved * PUBLISHED.levels).round() / PUBLISHED.levels
        self._searched += len(inputs) * self._world_size
        logits: Tensor = self._frozen(space.to_inputs(moved))
        return self.rule.targets(logits.detach(), labels)

    def _gradient(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Return g; the mean is over the images of all processes, which have equal shares of a batch."""
        inputs.requires_grad_()
        loss = cross_entropy(self._frozen(inputs), labels) / self._world_size
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        self._frozen.zero_grad(set_to_none=True)
        return torch.zeros_like(inputs) if inputs.grad is None else inputs.grad

    def _remain_loss(self, remain: Mapping[str, Any]) -> Tensor:
        return cross_entropy(self.forward("remain", remain["image"]), remain["label"])
