"""What methods share that change the start of the network and then train on remain images alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import kl_div

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import BatchNormMode, Method, MethodContext, StepSettings
from monai_unlearn.methods.passes import frozen_copy
from monai_unlearn.methods.registry import info_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn


class RemainTraining(Method):
    """Breaks the old solution, then trains all weights on remain images as training would.

    A subclass says by `start` from which weights training sets out. With the network f, the original f₀, the share d
    of distillation and a temperature T, a step descends on remain images alone, on

        (1 − d) · L(f(x), y) + d · T² · KL( softmax(f₀(x)/T) ‖ softmax(f(x)/T) )

    L is training's own loss. Distillation keeps predictions of the original that the labels do not hold; what the
    original memorised of images to forget may come along (leave it at 0 for a consent withdrawal).

    BatchNorm runs in train mode on remain images, which its running statistics follow.

    Args:
        distillation: d, in [0, 1].
        temperature: T, above 0.
        batch_norm: See `Method`.

    Raises:
        ConfigError: A value is out of range.
    """

    steps = StepSettings(learning_rate=1.0, warm_up=0.1, batch_size=1, remain_batch_size=16)
    needs_forget = False

    def __init__(
        self, *, distillation: float = 0.0, temperature: float = 2.0, batch_norm: BatchNormMode = "remain"
    ) -> None:
        super().__init__(batch_norm=batch_norm)
        if not (0 <= distillation <= 1 and temperature > 0):
            raise ConfigError(
                f"{info_of(self).name}: expected distillation in [0, 1] and temperature above 0, got {distillation} "
                f"and {temperature}."
            )
        self.distillation = distillation
        self.temperature = temperature
        self._teacher: nn.Module | None = None

    def prepare(self, context: MethodContext) -> None:
        """Put the network where training on remain images begins; a resumed run comes to the same weights.

        Raises:
            ConfigError: There are no remain images, or the subclass cannot start.
        """
        super().prepare(context)
        if context.remain is None:
            raise ConfigError(f"{info_of(self).name}: expected remain images, got none.")
        self._training_loss = context.training_loss
        if self.distillation:
            self._teacher = frozen_copy(context.network)
        context.network.load_state_dict(self.start(context))

    def start(self, context: MethodContext) -> Mapping[str, Tensor]:
        """Return the weights to start from, from the weights, the images and the seed alone; here the original's."""
        return context.network.state_dict()

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return training's loss on the remain images of the batch, and their distillation."""
        remain = batch["remain"]
        logits = self.forward("remain", remain["image"])
        if self._teacher is None:
            return self._training_loss(logits, remain["label"])
        with torch.no_grad():
            wanted = self._teacher(remain["image"])
        distilled = distillation_loss(logits, wanted, temperature=self.temperature)
        if self.distillation == 1:
            return distilled
        return (1 - self.distillation) * self._training_loss(logits, remain["label"]) + self.distillation * distilled

    @property
    def parts(self) -> tuple[str, ...]:
        """Remain images alone."""
        return ("remain",)

    @property
    def taught(self) -> tuple[str, ...]:
        """The remain images, where the original is their teacher."""
        return ("remain",) if self.distillation else ()


def distillation_loss(logits: Tensor, teacher: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return T² KL(softmax(teacher/T) ‖ softmax(logits/T)), a mean over the batch (Hinton et al. 2015, 1503.02531).

    Args:
        logits: Shape (batch, class).
        teacher: Logits of the same shape.
        temperature: T, above 0.

    >>> import torch
    >>> distillation_loss(torch.zeros(1, 2), torch.zeros(1, 2)).item()
    0.0
    """
    log_q, log_p = (values.div(temperature).log_softmax(1) for values in (logits, teacher))
    return temperature**2 * kl_div(log_q, log_p, reduction="batchmean", log_target=True)
