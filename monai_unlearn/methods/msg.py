"""Masked small gradients: initialise afresh what forgetting and remaining agree on, then train on remain images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Subset

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.fresh_weights import initialised_afresh
from monai_unlearn.methods.passes import mean_gradients, size_of
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import RemainTraining

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch.utils.data import Dataset

    from monai_unlearn.methods.base import MethodContext

_CONVOLUTIONS = nn.modules.conv._ConvNd  # noqa: SLF001 - torch has no public base
_KEEPS = {"fresh", "gradients"}


@register(
    MethodInfo(
        name="msg",
        paper="MSG of a NeurIPS 2023 challenge entry, as compared by Cadet et al. 2024, DeepUnlearn, arXiv 2410.01276",
        equations="the 30 % of convolution weights with the smallest |∇(CE(remain) − CE(forget))| initialised afresh; "
        "the others at a tenth of the rate; training's own loss on remain images",
        needs=("forget", "remain"),
        suits=("part_of_class", "device", "patients", "labels"),
        batch_norm="eval mode for the mask, then train mode on remain images",
        cost="a gradient of each forget and remain image for the mask (method::images bounds the remain images), and "
        "one per remain image of each step",
        search_space={
            "method::share": (0.3, 0.5),
            "method::damping": (0.1, 1.0),
            "training::rate_factor": (1.0, 0.5, 2.0),
        },
    )
)
class MSG(RemainTraining):
    """Initialises the convolution weights with the smallest gradient afresh, and trains on remain images.

    With the mean cross entropy over each part, in eval mode, and

        g = ∇θ ( CE(remain) − CE(forget) )

    those of all convolution weights together whose |g| is among the smallest share start from a fresh draw of their
    layer's initialisation. The steps of the other convolution weights, and theirs alone, are damped to a tenth.

    Departures: g is the difference of the parts' means, whatever their sizes. The published code multiplies the
    gradients of kept weights by 0.1, which Adam, whose step does not depend on the scale of a gradient, would undo; so
    what the optimiser did to them is multiplied instead, θ ← θ_before + 0.1 · (θ_after − θ_before). For plain gradient
    descent that is the same. Rate, optimiser, batch and augmentation are training's own, for the run's budget.

    Args:
        share: Of the convolution weights, in (0, 1].
        damping: What the steps of kept convolution weights are multiplied by, in [0, 1].
        images: The most remain images whose gradients are taken for the mask, drawn from the seed; 0 for all of them.
        distillation: See `RemainTraining`.
        temperature: See `RemainTraining`.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(
        self,
        *,
        share: float = 0.3,
        damping: float = 0.1,
        images: int = 0,
        distillation: float = 0.0,
        temperature: float = 2.0,
    ) -> None:
        super().__init__(distillation=distillation, temperature=temperature)
        if not (0 < share <= 1 and 0 <= damping <= 1 and images >= 0):
            raise ConfigError(
                "msg: expected share in (0, 1], damping in [0, 1] and images of at least 0, got "
                f"{share}, {damping} and {images}."
            )
        self.share, self.damping, self.images = share, damping, images
        self._fresh: dict[str, Tensor] = {}
        self._gradients = 0
        self._before: dict[str, Tensor] = {}

    def start(self, context: MethodContext) -> Mapping[str, Tensor]:
        """Return the weights with those of the smallest gradients initialised afresh.

        Raises:
            ConfigError: The network has no convolution, or one cannot be initialised.
        """
        layers = {name: m for name, m in context.network.named_modules() if isinstance(m, _CONVOLUTIONS)}
        if not layers:
            raise ConfigError("msg: the network has no convolution. Choose another method, such as reset.")
        if not self._fresh:
            self._fresh = self._smallest([f"{name}.weight" if name else "weight" for name in layers], context)
        state = dict(context.network.state_dict())
        drawn = initialised_afresh(context.network, layers, seed=context.seed)
        for name, fresh in self._fresh.items():
            value = state[name]
            self._fresh[name] = fresh.to(value.device)
            state[name] = torch.where(self._fresh[name], drawn[name].to(value.device), value)
        return state

    def _smallest(self, names: Sequence[str], context: MethodContext) -> dict[str, Tensor]:
        """Return, of each weight, which entries have gradients among the smallest share of all."""
        found = difference_of_gradients(context, most_remain=self.images)
        self._gradients = size_of(context.forget) + _planned(size_of(context.remain), self.images)
        sizes = torch.cat([found[name].abs().flatten() for name in names])
        chosen = torch.zeros(len(sizes), dtype=torch.bool)
        # A stable order, so that equal gradients give the same mask everywhere.
        chosen[sizes.cpu().argsort(stable=True)[: round(self.share * len(sizes))]] = True
        parts = torch.split(chosen, [found[name].numel() for name in names])
        return {name: part.view(found[name].shape) for name, part in zip(names, parts, strict=True)}

    def adjust_gradients(self) -> None:
        """Remember the weights before the step."""
        if self.damping < 1:
            weights = dict(self.network.named_parameters())
            self._before = {name: weights[name].detach().clone() for name in self._fresh}

    def after_step(self) -> None:
        """Damp what the step did to the weights that are not fresh."""
        weights = dict(self.network.named_parameters())
        with torch.no_grad():
            for name, before in self._before.items():
                damped = torch.lerp(before, weights[name], self.damping)
                weights[name].copy_(torch.where(self._fresh[name], weights[name], damped))
        self._before = {}

    @property
    def gradient_evaluations(self) -> int:
        """Those that chose the weights."""
        return self._gradients

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """Return a gradient for each image of both parts, or for as many remain images as `images` says."""
        return forget + _planned(remain, self.images)

    def state_dict(self) -> dict[str, Any]:
        """Return which weights are fresh, and what finding them took."""
        return {"fresh": dict(self._fresh), "gradients": self._gradients} if self._fresh else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ConfigError: The state is another method's.
        """
        if state and set(state) != _KEEPS:
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))}, but msg keeps {', '.join(sorted(_KEEPS))}. "
                "Delete the checkpoint to start from scratch."
            )
        self._fresh = dict(state.get("fresh", {}))
        self._gradients = int(state.get("gradients", 0))


def difference_of_gradients(context: MethodContext, *, most_remain: int = 0) -> dict[str, Tensor]:
    """Return ∇(CE(remain) − CE(forget)) by weight, in eval mode, each a mean over the images of the part.

    Args:
        context: The network and the images.
        most_remain: The most remain images, drawn from the seed; 0 for all.
    """
    count = size_of(context.remain)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(context.seed))
    kept = Subset(_remain(context), sorted(order[: _planned(count, most_remain)].tolist()))
    of_remain, of_forget = (
        mean_gradients(context.network, images, cross_entropy, context.device) for images in (kept, context.forget)
    )
    return {name: gradient - of_forget[name] for name, gradient in of_remain.items()}


def _remain(context: MethodContext) -> Dataset[Any]:
    if context.remain is None:
        raise AssertionError("`RemainTraining.prepare` refuses it")
    return context.remain


def _planned(count: int, most: int) -> int:
    return min(count, most) if most else count
