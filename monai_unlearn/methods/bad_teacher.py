"""Bad teaching: forget images learn from a random network, remain images from the original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.fresh_weights import initialised_afresh
from monai_unlearn.methods.passes import frozen_copy
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import distillation_loss
from monai_unlearn.methods.two_terms import TwoTerms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from monai_unlearn.methods.base import BatchNormMode, MethodContext


@register(
    MethodInfo(
        name="bad_teacher",
        paper="Chundawat et al. 2023, Can Bad Teaching Induce Forgetting?, arXiv 2205.08096",
        equations="divergence from a randomly initialised network on forget images, from the original on remain images",
        needs=("forget", "remain"),
        suits=("class", "part_of_class"),
        batch_norm="train mode on remain images, running statistics on forget images",
        cost="one gradient per image of each step, and a forward pass of its teacher",
        search_space={
            "method::remain_weight": (1.0, 3.0, 10.0),
            "training::rate_factor": (1.0, 0.3, 0.1),
        },
    )
)
class BadTeacher(TwoTerms):
    """Distils an incompetent teacher on forget images and the original on remain images.

    With the original f₀ and the same network f_r with randomly initialised weights, each step descends on

        T² KL( f_r(x_forget) ‖ f(x_forget) ) + φ · T² KL( f₀(x_remain) ‖ f(x_remain) ),  softmax at temperature T

    f_r's weights depend on the seed alone; each layer is initialised by its `reset_parameters`, and BatchNorm has mean
    0 and variance 1. Both teachers are in eval mode. Departures: the parts weigh 1 to φ and not by their number in a
    batch; remain images are drawn from all of them and not from 30 %; optimiser, rate and augmentation of remain
    images are training's own.

    Args:
        temperature: T, above 0.
        remain_weight: See `TwoTerms`.
        batch_norm: See `Method`.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(
        self, *, temperature: float = 1.0, remain_weight: float = 1.0, batch_norm: BatchNormMode = "remain"
    ) -> None:
        super().__init__(remain_weight=remain_weight, batch_norm=batch_norm)
        if not temperature > 0:
            raise ConfigError(f"bad_teacher: expected temperature above 0, got {temperature}.")
        self.temperature = temperature

    def prepare(self, context: MethodContext) -> None:
        """Make both teachers.

        Raises:
            ConfigError: A layer cannot be initialised.
        """
        super().prepare(context)
        self._competent, self._incompetent = frozen_copy(context.network), frozen_copy(context.network)
        self._incompetent.load_state_dict(initialised_afresh(context.network, ("",), seed=context.seed))

    def forget_term(self, logits: Tensor, forget: Mapping[str, Any]) -> Tensor:
        """Return the divergence from the random network."""
        with torch.no_grad():
            wanted = self._incompetent(forget["image"])
        return distillation_loss(logits, wanted, temperature=self.temperature)

    def remain_term(self, logits: Tensor, remain: Mapping[str, Any]) -> Tensor:
        """Return the divergence from the original."""
        with torch.no_grad():
            wanted = self._competent(remain["image"])
        return distillation_loss(logits, wanted, temperature=self.temperature)

    @property
    def taught(self) -> tuple[str, ...]:
        """All images of a step."""
        return self.parts
