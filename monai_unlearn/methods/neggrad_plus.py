"""NegGrad+: descend on the remain images and ascend on the forget images, up to a ceiling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.two_terms import TwoTerms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from monai_unlearn.methods.base import BatchNormMode


@register(
    MethodInfo(
        name="neggrad_plus",
        paper="Kurmanji et al. 2023, SCRUB, arXiv 2302.09880, which compares with it as NegGrad+",
        equations="a times training's own loss on remain images, minus 1 − a times the cross entropy on forget images",
        needs=("forget", "remain"),
        suits=("class", "part_of_class", "labels"),
        batch_norm="the original's running statistics, which stay",
        cost="one gradient per image of each step",
        search_space={
            "method::remain_share": (0.95, 0.99, 0.9),
            "training::rate_factor": (1.0, 0.3, 0.1),
        },
    )
)
class NegGradPlus(TwoTerms):
    """Ascends on the cross entropy of forget images while it descends on training's own loss of remain images.

        a · L(f(x_remain), y) − (1 − a) · mean min( CE(f(x_forget), y), c )

    The cross entropy has no upper bound, and ascent on it ends in weights that are not finite. Here it is capped image
    by image: an image at the ceiling c has no gradient any more, and the loss cannot fall below −(1 − a) c. With
    c = 10 the network gives the image's class a probability of 5e-5. That is a departure; another is that optimiser,
    rate and augmentation of remain images are training's own.

    Args:
        remain_share: a (alpha in the paper), in [0, 1].
        ceiling: c, above 0.
        batch_norm: See `Method`.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(
        self, *, remain_share: float = 0.95, ceiling: float = 10.0, batch_norm: BatchNormMode = "frozen"
    ) -> None:
        if not (0 <= remain_share <= 1 and 0 < ceiling < math.inf):
            raise ConfigError(
                "neggrad_plus: expected remain_share in [0, 1] and a finite ceiling above 0, got "
                f"{remain_share} and {ceiling}."
            )
        super().__init__(remain_weight=remain_share, batch_norm=batch_norm)
        self.remain_share = remain_share
        self.ceiling = ceiling

    def forget_term(self, logits: Tensor, forget: Mapping[str, Any]) -> Tensor:
        """Return the capped cross entropy, negative."""
        losses = cross_entropy(logits, forget["label"], reduction="none").clamp(max=self.ceiling)
        return -(1 - self.remain_share) * losses.mean()
