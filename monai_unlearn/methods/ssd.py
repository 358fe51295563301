"""Selective synaptic dampening: shrink, once, the weights that matter for the forget images above all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.one_shot import OneShot
from monai_unlearn.methods.passes import mean_squared_gradients, size_of
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from monai_unlearn.methods.base import MethodContext


@register(
    MethodInfo(
        name="ssd",
        paper="Foster et al. 2024, Fast Machine Unlearning without Retraining through Selective Synaptic Dampening, "
        "arXiv 2308.07707",
        equations="θ becomes β θ where I_forget > α I_all, with β = min(λ I_all / I_forget, 1)",
        needs=("forget", "remain"),
        suits=("class", "part_of_class"),
        batch_norm="running statistics throughout; recalibrated at the end, if the run says so",
        cost="one gradient of each image of both parts, once; no step",
        search_space={"method::alpha": (10.0, 5.0, 30.0), "method::dampening": (1.0, 0.5)},
    )
)
class SSD(OneShot):
    """Dampens the weights that matter more for the forget images than for all images (Foster et al. 2024).

    The importance I of a weight is the mean over images of the squared gradient of the image's own cross entropy, the
    diagonal of Fisher's information matrix. Where I_forget > α I_all, with I_all over both parts,

        θ ← min(λ I_all / I_forget, 1) · θ

    The other weights stay. Departure: the published code squares gradients of batches; here each image's own gradient
    is squared, as in the paper's definition.

    Args:
        alpha: α, above 0.
        dampening: λ, above 0.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(self, *, alpha: float = 10.0, dampening: float = 1.0) -> None:
        super().__init__(batch_norm="frozen")
        if not (alpha > 0 and dampening > 0):
            raise ConfigError(f"ssd: expected alpha and dampening above 0, got {alpha} and {dampening}.")
        self.alpha = alpha
        self.dampening = dampening
        self._gradients = 0

    def edit(self, context: MethodContext) -> None:
        """Shrink the weights; a weight that no image depends on stays.

        Raises:
            ConfigError: There are no remain images.
        """
        if context.remain is None:
            raise ConfigError("ssd: expected remain images, got none.")
        counts = size_of(context.forget), size_of(context.remain)
        forget, remain = (
            mean_squared_gradients(context.network, images, cross_entropy, context.device)
            for images in (context.forget, context.remain)
        )
        with torch.no_grad():
            for name, weight in context.network.named_parameters():
                of_all = (counts[0] * forget[name] + counts[1] * remain[name]) / sum(counts)
                factor = (self.dampening * of_all / forget[name]).clamp(max=1)
                weight.mul_(torch.where(forget[name] > self.alpha * of_all, factor, torch.ones_like(factor)))
        self._gradients = sum(counts)

    @property
    def gradient_evaluations(self) -> int:
        """One for each image of both parts."""
        return self._gradients

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """One for each image of both parts."""
        return forget + remain
