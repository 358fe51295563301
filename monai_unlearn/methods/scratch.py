"""Training from scratch on the remain part, at the budget of the run: a control for every method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.methods.fresh_weights import initialised_afresh
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import RemainTraining

if TYPE_CHECKING:
    from torch import Tensor

    from monai_unlearn.methods.base import MethodContext


@register(
    MethodInfo(
        name="scratch",
        paper="a control: retraining cut short",
        equations="every layer initialised afresh, then training's own loss on remain images",
        needs=("remain",),
        suits=(),
        batch_norm="train mode on remain images",
        cost="one gradient per remain image of each step",
        search_space={"training::rate_factor": (1.0, 0.5, 2.0)},
    )
)
class Scratch(RemainTraining):
    """Trains a fresh network on remain images for as long as the run allows.

    What a method keeps of the original must be worth more than this. Nothing of any image to forget is left; what the
    budget is too small for is missing on the remain part as well. The fresh values are those of each layer's
    `reset_parameters`, from the seed alone; BatchNorm begins at mean 0 and variance 1. It is `reset` at `depth: all`.

    >>> Scratch().parts
    ('remain',)
    """

    def __init__(self) -> None:
        super().__init__()

    def start(self, context: MethodContext) -> dict[str, Tensor]:
        """Return fresh weights.

        Raises:
            ConfigError: A layer cannot be initialised.
        """
        return initialised_afresh(context.network, seed=context.seed)
