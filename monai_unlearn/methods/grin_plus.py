"""GRIN+: move, once, the weights whose forget gradients are large beside their remain gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.one_shot import OneShot
from monai_unlearn.methods.passes import mean_gradients, size_of
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from torch import Tensor

    from monai_unlearn.methods.base import MethodContext


@dataclass(frozen=True, kw_only=True)
class _Threshold:
    """ε, and the smallest ratio within the mask."""

    small: Tensor
    ratio: Tensor


# The quantile of |G_forget| that keeps the ratio finite.
_SMALL = 0.05


@register(
    MethodInfo(
        name="grin_plus",
        paper="after Anjarlekar and Pombra 2025, gradient-ratio influence (GRIN), arXiv 2508.06467, in one step",
        equations="θ ← θ + α (G_f − G_r) · mask · r; mask: the share p with the largest ratio of |G_f| to |G_r|; "
        "r = max(0, 1 − β |sign agreement|)",
        needs=("forget", "remain"),
        suits=("class",),
        batch_norm="running statistics throughout; recalibrated at the end, if the run says so",
        cost="one gradient of each image of both parts, once; no step",
        search_space={"method::rate": (1.0, 0.1, 10.0), "method::share": (0.1, 0.2)},
    )
)
class GrinPlus(OneShot):
    """Ascends once on the forget loss and descends on the remain loss, in the weights that matter for forgetting.

    With G_f and G_r the gradients of the mean cross entropy on all forget and on all remain images,

        θ ← θ + α (G_f − G_r) · mask · r

    The mask keeps the share p of all weights with the largest |G_f| / (|G_r| + ε), ε the 5th percentile of |G_f|. The
    factor r = max(0, 1 − β |a|) of each tensor slows down where both parts pull on the same weights: a is the mean of
    sign(G_f) · sign(G_r) over the tensor. Departures: weights of classes are left out; the source adds noise to the
    weights and then trains, this is the form in one step.

    Args:
        rate: α, above 0.
        share: p, in (0, 1].
        brake: β, at least 0.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(self, *, rate: float = 1.0, share: float = 0.1, brake: float = 0.5) -> None:
        super().__init__(batch_norm="frozen")
        if not (rate > 0 and 0 < share <= 1 and brake >= 0):
            raise ConfigError(
                "grin_plus: expected rate above 0, share in (0, 1] and brake of at least 0, got "
                f"{rate}, {share} and {brake}."
            )
        self.rate = rate
        self.share = share
        self.brake = brake
        self._gradients = 0

    def edit(self, context: MethodContext) -> None:
        """Move the weights.

        Raises:
            ConfigError: There are no remain images.
        """
        if context.remain is None:
            raise ConfigError("grin_plus: expected remain images, got none.")
        forget, remain = (
            mean_gradients(context.network, images, cross_entropy, context.device)
            for images in (context.forget, context.remain)
        )
        weights = dict(context.network.named_parameters())
        threshold = self._threshold(forget, remain)
        with torch.no_grad():
            for name, weight in weights.items():
                f, r = forget[name], remain[name]
                wanted = f.abs() >= threshold.ratio * (r.abs() + threshold.small)
                agreement = (f.sign() * r.sign()).mean().abs()
                weight.add_(self.rate * (f - r) * wanted * (1 - self.brake * agreement).clamp(min=0))
        self._gradients = size_of(context.forget) + size_of(context.remain)

    def _threshold(self, forget: dict[str, Tensor], remain: dict[str, Tensor]) -> _Threshold:
        f = torch.cat([forget[name].abs().flatten() for name in forget])
        r = torch.cat([remain[name].abs().flatten() for name in forget])
        # `torch.quantile` refuses more than 16 million values.
        small = f.sort().values[int(_SMALL * (len(f) - 1))]
        ratio = (f / (r + small).clamp(min=torch.finfo(f.dtype).tiny)).sort(descending=True).values
        return _Threshold(small=small, ratio=ratio[max(1, round(self.share * len(ratio))) - 1])

    @property
    def gradient_evaluations(self) -> int:
        """One for each image of both parts."""
        return self._gradients

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """One for each image of both parts."""
        return forget + remain
