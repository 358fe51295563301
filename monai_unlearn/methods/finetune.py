"""Fine-tuning on the remain part alone: a baseline for every method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn.functional import cross_entropy

from monai_unlearn.methods.base import Method
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


@register(
    MethodInfo(
        name="finetune",
        paper="the usual baseline, e.g. Golatkar et al. 2020, arXiv 1911.04933",
        equations="cross entropy on remain images",
        needs_remain=True,
        cost="one gradient per remain image of each step",
        search_space={
            "method::batch_norm": ("remain", "frozen"),
            "training::rate_factor": (2.0, 1.0, 4.0, 8.0),
        },
    )
)
class FineTune(Method):
    """Continues training on remain images alone; the network may forget the others (catastrophic forgetting)."""

    needs_forget = False

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the cross entropy on the remain images of the batch."""
        remain = batch["remain"]
        return cross_entropy(self.forward("remain", remain["image"]), remain["label"])

    @property
    def parts(self) -> tuple[str, ...]:
        """Remain images alone."""
        return ("remain",)
