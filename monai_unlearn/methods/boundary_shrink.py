"""Boundary shrinking: label each forget image with the class across the nearest boundary, at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.relabelling import RelabellingLoop

if TYPE_CHECKING:
    from torch import Tensor


@register(
    MethodInfo(
        name="boundary_shrink",
        paper="Chen et al. 2023, Boundary Unlearning, CVPR, arXiv 2303.11570; "
        "the loop reproduced is that of the code of arXiv 2505.21872 with λ = γ = 0",
        equations="one sign step on the cross entropy, repeated at every update; hard labels",
        needs=("forget",),
        suits=("class",),
        batch_norm="train mode on forget images alone, as published",
        boundary_targets=True,
        search_space={"method::remain_weight": (0.0, 1.0), "training::rate_factor": (1.0, 0.3, 0.1)},
        cost="two gradients and a forward pass per forget image of each step, one gradient and the pass for its label",
    )
)
class BoundaryShrink(RelabellingLoop):
    """Boundary shrinking (Chen et al. 2023, CVPR, arXiv 2303.11570), for comparison.

    The code of arXiv 2505.21872 runs this loop, with λ = γ = 0, as the state of the art to beat. The direction of its
    step is the gradient itself: d = g. `labels: soft`, `top_k` and `remain_weight` are options of that code and not
    of Chen et al.; without them it is their method. For the loop and its options, see `RelabellingLoop`.
    """

    def direction(self, gradient: Tensor, inputs: Tensor, pixels: Tensor, rows: Tensor) -> Tensor:  # noqa: ARG002 - the loop passes all
        """Return the gradient."""
        return gradient
