"""DELETE: distil the original without the true class, on forget images alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import kl_div

from monai_unlearn.methods.base import StepSettings
from monai_unlearn.methods.passes import frozen_copy
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.two_terms import TwoTerms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from monai_unlearn.methods.base import BatchNormMode, MethodContext


@register(
    MethodInfo(
        name="delete",
        paper="Zhou et al. 2025, Decoupled Distillation to Erase, arXiv 2503.23751",
        equations="divergence from the original's softmax with the true logit at −∞, on forget images",
        needs=("forget",),
        suits=("class",),
        batch_norm="the original's running statistics, which stay",
        boundary_targets=True,
        cost="one gradient and one forward pass of the original per forget image of each step",
        search_space={"training::rate_factor": (0.3, 0.1, 1.0, 0.03, 3.0, 0.01)},
    )
)
class Delete(TwoTerms):
    """Distils the original's softmax over the other classes into the network, on forget images alone.

    With the original f₀ and true class y, each step descends on

        KL( softmax(f₀(x) with logit y at −∞) ‖ softmax(f(x)) )

    The largest target is the class that the original ranks next, with two classes always the wrong one. Departures:
    BatchNorm keeps the original's statistics, where the published code runs it in train mode on forget images alone,
    which by itself makes a network appear to have forgotten; optimiser and rate are training's own.

    Args:
        remain_weight: φ of `TwoTerms`; the paper's method has none.
        batch_norm: See `Method`.

    Raises:
        ConfigError: A value is out of range.
    """

    steps = StepSettings(batch_size=16, remain_batch_size=16)

    def __init__(self, *, remain_weight: float = 0.0, batch_norm: BatchNormMode = "frozen") -> None:
        super().__init__(remain_weight=remain_weight, batch_norm=batch_norm)

    def prepare(self, context: MethodContext) -> None:
        """Keep the original as the teacher."""
        super().prepare(context)
        self._original = frozen_copy(context.network)

    def forget_term(self, logits: Tensor, forget: Mapping[str, Any]) -> Tensor:
        """Return the divergence from the original without the true class."""
        with torch.no_grad():
            teacher = self._original(forget["image"])
        wanted = teacher.scatter(1, forget["label"][:, None], -torch.inf).softmax(1)
        return kl_div(logits.log_softmax(1), wanted, reduction="batchmean")

    @property
    def taught(self) -> tuple[str, ...]:
        """The forget images of a step."""
        return () if self.phase == "repair" else ("forget",)
