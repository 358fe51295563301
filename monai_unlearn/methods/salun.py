"""SalUn: random labels, learnt only by the weights that matter most for the forget images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import Subset

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.passes import batches_of, frozen_copy, size_of
from monai_unlearn.methods.random_label import SEARCH_SPACE, RandomLabel
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from monai_unlearn.methods.base import BatchNormMode, MethodContext

_STATE = ("gradients", "mask")


@register(
    MethodInfo(
        name="salun",
        paper="Fan et al. 2024, SalUn, ICLR, arXiv 2310.12508",
        equations="random labels, learnt by the weights alone whose gradient on forget images exceeds its quantile",
        needs=("forget", "remain"),
        suits=("class", "part_of_class"),
        batch_norm="train mode on remain images, running statistics on forget images",
        boundary_targets=True,
        cost="one gradient per forget image, once; then one gradient per image of each step",
        search_space=SEARCH_SPACE,
    )
)
class SalUn(RandomLabel):
    """Learns random labels with the weights alone whose gradient on the forget images is large.

    With the gradient g of the mean cross entropy of all forget images at the original weights θ₀, a weight is changed
    if its |g| is above the q-quantile of |g| over all weights together:

        θ = m ⊙ θ_new + (1 − m) ⊙ θ₀,  m = 1[ |g| > quantile_q(|g|) ]

    The steps are those of `RandomLabel`. Weights outside the mask keep the original's bits, whatever optimiser and
    weight decay; weights without any gradient are never in it. BatchNorm's running statistics are no weights.
    Departures: those of `RandomLabel`; the gradient is taken in eval mode, on images without augmentation.

    Args:
        quantile: q, in [0, 1): the share of the weights that stay.
        remain_weight: See `TwoTerms`.
        batch_norm: See `Method`.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(
        self, *, quantile: float = 0.5, remain_weight: float = 1.0, batch_norm: BatchNormMode = "remain"
    ) -> None:
        super().__init__(remain_weight=remain_weight, batch_norm=batch_norm)
        if not 0 <= quantile < 1:
            raise ConfigError(f"salun: expected quantile in [0, 1), got {quantile}.")
        self.quantile = quantile
        self._gradients = 0
        self.mask: dict[str, Tensor] = {}

    def prepare(self, context: MethodContext) -> None:
        """Find the mask, unless it was restored, and keep the original weights."""
        super().prepare(context)
        if not self.mask:
            self.mask = largest(forget_gradient(context), quantile=self.quantile)
            self._gradients = size_of(context.forget)
        self.mask = {name: mask.to(context.device) for name, mask in self.mask.items()}
        self._original = {name: weight.detach().clone() for name, weight in self._masked()}

    def state_dict(self) -> dict[str, Any]:
        """Return the mask by weight, and how many gradients it took; empty before `prepare`."""
        return {"mask": dict(self.mask), "gradients": self._gradients} if self.mask else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ConfigError: The state is another method's.
        """
        if state and set(state) != set(_STATE):
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))}, but salun keeps {' and '.join(_STATE)}. "
                "Delete the checkpoint to start from scratch."
            )
        self.mask, self._gradients = dict(state.get("mask", {})), int(state.get("gradients", 0))

    def adjust_gradients(self) -> None:
        """Leave no gradient outside the mask, so that clipping and momentum see the others alone."""
        for name, weight in self._masked():
            if weight.grad is not None:
                weight.grad.mul_(self.mask[name])

    def after_step(self) -> None:
        """Put the weights outside the mask back, which weight decay may have moved."""
        with torch.no_grad():
            for name, weight in self._masked():
                weight.copy_(torch.where(self.mask[name], weight, self._original[name]))

    @property
    def gradient_evaluations(self) -> int:
        """One for each forget image."""
        return self._gradients

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """One for each forget image."""
        return forget

    def _masked(self) -> list[tuple[str, nn.Parameter]]:
        return [(name, weight) for name, weight in self.network.named_parameters() if name in self.mask]


def forget_gradient(context: MethodContext) -> dict[str, Tensor]:
    """Return the gradient of the mean cross entropy of all forget images, by weight, with the network in eval mode.

    Each process takes a share of the images; each gets the whole sum. The network is not changed.
    """
    count = size_of(context.forget)
    network = frozen_copy(context.network)
    weights = {name: weight.requires_grad_() for name, weight in network.named_parameters()}
    sums = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    own = Subset(context.forget, range(context.rank, count, context.world_size))
    for images, labels in batches_of(own, context.device):
        loss = cross_entropy(network(images), labels, reduction="sum")
        found = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
        for name, gradient in zip(weights, found, strict=True):
            if gradient is not None:
                sums[name] += gradient
    return {name: context.all_reduce_sum(total) / count for name, total in sums.items()}


def largest(gradient: Mapping[str, Tensor], *, quantile: float) -> dict[str, Tensor]:
    """Return where the gradient is larger than its quantile over all weights together; never where it is 0.

    >>> largest({"a": torch.tensor([0.0, 3.0, -4.0, 1.0])}, quantile=0.5)
    {'a': tensor([False,  True,  True, False])}
    """
    sizes = torch.cat([values.abs().flatten() for values in gradient.values()]).cpu()
    below = math.floor(quantile * len(sizes))
    bound = sizes.kthvalue(below).values.item() if below else 0.0
    return {name: values.abs() > bound for name, values in gradient.items()}
