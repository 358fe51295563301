"""What methods share that descend on a term of the forget images and a term of the remain images."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import BatchNormMode, Method, MethodContext
from monai_unlearn.methods.registry import info_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class TwoTerms(Method):
    """Descends on a term F of the forget images and φ times a term R of the remain images.

    A subclass says by `forget_term` what F is. R is training's own loss, unless `remain_term` says otherwise. With
    φ = 0 the remain images are left out, but in the repair phase, which is always R alone.

    Args:
        remain_weight: φ, at least 0.
        batch_norm: See `Method`.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(self, *, remain_weight: float = 1.0, batch_norm: BatchNormMode = "remain") -> None:
        super().__init__(batch_norm=batch_norm)
        if not 0 <= remain_weight < math.inf:
            raise ConfigError(f"{info_of(self).name}: expected a finite remain_weight >= 0, got {remain_weight}.")
        self.remain_weight = remain_weight

    def prepare(self, context: MethodContext) -> None:
        """Store the network and training's loss."""
        super().prepare(context)
        self._training_loss = context.training_loss

    @abstractmethod
    def forget_term(self, logits: Tensor, forget: Mapping[str, Any]) -> Tensor:
        """Return F, a mean over the images.

        Args:
            logits: The network's logits, shape (batch, class).
            forget: The images of the batch, with `image`, `label` and `row`.
        """

    def remain_term(self, logits: Tensor, remain: Mapping[str, Any]) -> Tensor:
        """Return R, a mean over the images; for the arguments see `forget_term`."""
        return self._training_loss(logits, remain["label"])

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return F + φ R; in the repair phase, R."""
        if self.phase == "repair":
            remain = batch["remain"]
            return self.remain_term(self.forward("remain", remain["image"]), remain)
        forget = batch["forget"]
        if not self.remain_weight:
            return self.forget_term(self.forward("forget", forget["image"]), forget)
        remain = batch["remain"]
        forgotten, kept = self.forward_both(forget["image"], remain["image"])
        return self.forget_term(forgotten, forget) + self.remain_weight * self.remain_term(kept, remain)

    @property
    def parts(self) -> tuple[str, ...]:
        """Forget images, and remain images where φ is not 0; in the repair phase remain images alone."""
        if self.phase == "repair":
            return ("remain",)
        return ("forget", "remain") if self.remain_weight else ("forget",)
