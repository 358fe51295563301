"""Fresh weights: those that a network had before training, drawn from a seed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

# Keeps the draws apart from those of training and of other methods under the same seed.
_STRIDE, _STREAM = 1_000_003, 7
WHOLE = ("",)


def initialised_afresh(network: nn.Module, names: Iterable[str] = WHOLE, *, seed: int) -> dict[str, Tensor]:
    """Return the state of a network in which some modules are initialised afresh, each layer by its own method.

    Draws are made on the CPU, so that they are the same on every device; the global random state is left alone.

    Args:
        network: The network; it is not changed.
        names: The modules; an empty name is the whole network.
        seed: Seeds the draws.

    Raises:
        ConfigError: A layer with weights has no method to initialise them.
    """
    fresh = copy.deepcopy(network).cpu()
    with torch.random.fork_rng(devices=[]):
        # `torch.manual_seed` would seed the accelerators as well, whose state is not restored here.
        torch.default_generator.manual_seed(_STRIDE * (seed + 1) + _STREAM)
        for name in names:
            for inner, module in fresh.get_submodule(name).named_modules(prefix=name):
                _initialise(inner, module)
    return fresh.state_dict()


def _initialise(name: str, module: nn.Module) -> None:
    reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
    if callable(reset):
        reset()
    elif next(module.parameters(recurse=False), None) is not None:
        raise ConfigError(
            f"{type(module).__name__} '{name}' has weights but no `reset_parameters`, so that they cannot be "
            "initialised afresh. Give the class that method, or take another depth, or a method that initialises "
            "nothing, such as --method finetune."
        )
