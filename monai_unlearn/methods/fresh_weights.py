"""Fresh weights: those that a network had before training, drawn from a seed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor, nn

# Keeps the draws apart from those of training and of other methods under the same seed.
_STRIDE, _STREAM = 1_000_003, 7
WHOLE = ("",)


def initialised_afresh(
    network: nn.Module, names: Iterable[str] = WHOLE, *, seed: int, strict: bool = True
) -> dict[str, Tensor]:
    """Return the state of a network in which some modules are initialised afresh, each layer by its own method.

    Draws are made on the CPU, so that they are the same on every device; the global random state is left alone.

    Args:
        network: The network; it is not changed.
        names: The modules; an empty name is the whole network.
        seed: Seeds the draws.
        strict: Whether to refuse a layer that has no method to initialise its weights; otherwise it stays as it is. See
            `without_initialiser`.

    Raises:
        ConfigError: A layer with weights has no method to initialise them.
    """
    fresh = copy.deepcopy(network).cpu()
    with torch.random.fork_rng(devices=[]):
        # `torch.manual_seed` would seed the accelerators as well, whose state is not restored here.
        torch.default_generator.manual_seed(_STRIDE * (seed + 1) + _STREAM)
        for name in names:
            for inner, module in fresh.get_submodule(name).named_modules(prefix=name):
                _initialise(inner, module, strict=strict)
    return fresh.state_dict()


def without_initialiser(network: nn.Module) -> list[str]:
    """Return the layers that have weights and no method to initialise them, such as an embedding of places.

    >>> from torch import nn
    >>> without_initialiser(nn.Sequential(nn.Linear(1, 1), nn.ParameterList([torch.ones(1)])))
    ['1']
    """
    return [name for name, module in network.named_modules() if _has_weights(module) and _initialiser(module) is None]


def _initialiser(module: nn.Module) -> Callable[[], object] | None:
    found = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
    return found if callable(found) else None


def _has_weights(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


def _initialise(name: str, module: nn.Module, *, strict: bool) -> None:
    reset = _initialiser(module)
    if reset is not None:
        reset()
    elif strict and _has_weights(module):
        raise not_initialised(name, module)


def not_initialised(name: str, module: nn.Module) -> ConfigError:
    """Return the error about a layer that is to begin afresh and cannot."""
    return ConfigError(
        f"{type(module).__name__} '{name}' has weights but no `reset_parameters`, so that they cannot be initialised "
        "afresh. Give the class that method, or take another depth, or a method that initialises nothing, such as "
        "--method finetune."
    )
