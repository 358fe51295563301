"""Boundary expanding: teach forget images a class that does not exist, and remove it again."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import StepSettings
from monai_unlearn.methods.depth import blank_image, modules_within
from monai_unlearn.methods.passes import unchanged
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.two_terms import TwoTerms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.methods.base import BatchNormMode, MethodContext

# Keeps the draw apart from those of other methods under the same seed.
_STRIDE, _STREAM = 1_000_003, 11


@register(
    MethodInfo(
        name="boundary_expand",
        paper="Chen et al. 2023, Boundary Unlearning, CVPR, arXiv 2303.11570",
        equations="cross entropy of forget images against an additional class, which is removed at the end",
        needs=("forget",),
        suits=("class",),
        batch_norm="the original's running statistics, which stay",
        cost="one gradient per forget image of each step; three forward passes of one image to find the last layer",
        multilabel=False,
        search_space={"training::rate_factor": (0.3, 0.1, 1.0, 0.03, 3.0, 0.01)},
    )
)
class BoundaryExpand(TwoTerms):
    """Widens the last layer by a shadow class K, trains the forget images on it, and removes it.

    With the widened network f₊ of K + 1 classes, numbered from 0, each step descends on

        CE( f₊(x_forget), K ) + φ · CE( f₊(x_remain), y )

    After the last step `finish` removes the class, and forget images spread over what is left. The new row of the last
    layer is drawn from the seed, as `nn.Linear` draws its own. Outside the loss the network never shows the class, so
    that evaluations during the run see K classes. Departures: the paper has no remain term (φ = 0); BatchNorm keeps the
    original's statistics, which forget images alone would spoil; optimiser and rate are training's own, and the loss is
    the plain cross entropy, since class weights of training do not know class K.

    Args:
        remain_weight: φ of `TwoTerms`; the paper's method has none.
        batch_norm: See `Method`.

    Raises:
        ConfigError: A value is out of range.
    """

    steps = StepSettings(batch_size=16, remain_batch_size=16)

    def __init__(self, *, remain_weight: float = 0.0, batch_norm: BatchNormMode = "frozen") -> None:
        super().__init__(remain_weight=remain_weight, batch_norm=batch_norm)
        self._passed = 0
        self._shadow: ShadowClass | None = None

    def prepare(self, context: MethodContext) -> None:
        """Widen the last layer.

        Raises:
            ConfigError: The last layer is not `nn.Linear`, or its outputs are not the network's.
        """
        super().prepare(context)
        image = blank_image(context)
        self._passed = 3  # one finds the last layer, two show that it gives the output
        layer = _last_layer(context.network, image)
        self._shadow = ShadowClass(layer, seed=context.seed)
        if not _follows(context.network, image, self._shadow):
            self._shadow.remove()
            raise _refusal("a layer whose outputs the network changes")

    def forget_term(self, logits: Tensor, forget: Mapping[str, Any]) -> Tensor:
        """Return the cross entropy against the shadow class."""
        return cross_entropy(logits, torch.full_like(forget["label"], logits.shape[1] - 1))

    def remain_term(self, logits: Tensor, remain: Mapping[str, Any]) -> Tensor:
        """Return the cross entropy against the images' own classes, beside which the shadow class stands."""
        return cross_entropy(logits, remain["label"])

    def finish(self) -> None:
        """Remove the shadow class."""
        if self._shadow is not None:
            self._shadow.remove()
            self._shadow = None

    @property
    def forward_passes(self) -> int:
        """Those of a blank image that show which layer is the last."""
        return self._passed

    def _logits(self, images: Tensor) -> Tensor:
        if self._shadow is None:
            raise AssertionError("boundary_expand takes no step before prepare or after finish")
        with self._shadow.shown():
            return super()._logits(images)


class ShadowClass:
    """An additional output of a layer, which the layer shows only on request.

    The layer's parameters stay the same objects, so that an optimiser that holds them trains the new row too.

    Args:
        layer: The layer, changed in place.
        seed: Seeds the values of the new row.
    """

    def __init__(self, layer: nn.Linear, *, seed: int) -> None:
        self.layer = layer
        self._is_shown = False
        generator = torch.Generator().manual_seed(_STRIDE * (seed + 1) + _STREAM)
        bound = 1 / math.sqrt(layer.in_features)
        for parameter in layer.parameters():
            row = torch.empty(1, *parameter.shape[1:]).uniform_(-bound, bound, generator=generator)
            _replace(parameter, torch.cat([parameter.detach(), row.to(parameter.device, parameter.dtype)]))
        layer.out_features += 1
        self._hook = layer.register_forward_hook(self._hide)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the class while the block runs."""
        self._is_shown = True
        try:
            yield
        finally:
            self._is_shown = False

    def remove(self) -> None:
        """Give the layer its shape back."""
        self._hook.remove()
        for parameter in self.layer.parameters():
            _replace(parameter, parameter.detach()[:-1].clone())
        self.layer.out_features -= 1

    def _hide(self, _layer: nn.Module, _inputs: object, logits: Tensor) -> Tensor:
        return logits if self._is_shown else logits[..., :-1]


def _replace(parameter: nn.Parameter, values: Tensor) -> None:
    parameter.grad = None
    parameter.data = values


def _last_layer(network: nn.Module, image: Tensor) -> nn.Linear:
    layers = [network.get_submodule(name) for name in modules_within(network, "head", image)]
    if len(layers) == 1 and type(layers[0]) is nn.Linear:
        return layers[0]
    raise _refusal(" and ".join(type(layer).__name__ for layer in layers))


def _follows(network: nn.Module, image: Tensor, shadow: ShadowClass) -> bool:
    """Return whether the network's output has one class more while the shadow class is shown."""
    with unchanged(network), torch.no_grad():
        hidden = network(image[None])
        with shadow.shown():
            shown = network(image[None])
    return shown.shape == (1, hidden.shape[1] + 1) and torch.allclose(shown[:, :-1], hidden)


def _refusal(found: str) -> ConfigError:
    return ConfigError(
        "boundary_expand: expected a network that ends in one nn.Linear, with an output for each class, to widen it, "
        f"got {found}. Choose another method, such as delete or reset."
    )
