"""Resetting: initialise the last layers afresh, then tune all weights on remain images as in training."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.depth import Depth, check_depth, modules_within
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import RemainTraining

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from monai_unlearn.methods.base import MethodContext

# Keeps the draws apart from those of training and of other methods under the same seed.
_STRIDE, _STREAM = 1_000_003, 7


@register(
    MethodInfo(
        name="reset",
        paper="after Goel et al. 2022, EU-k and CF-k, arXiv 2201.06640",
        equations="last layers initialised afresh, then training's own loss on remain images, all weights tuned",
        needs=("remain",),
        suits=("class", "part_of_class", "device", "patients", "labels"),
        batch_norm="train mode on remain images",
        cost="one gradient per remain image of each step; one forward pass of a single image to find the layers",
        search_space={
            "method::depth": ("last_block", "head", 2),
            "training::rate_factor": (1.0, 0.5, 2.0),
        },
    )
)
class Reset(RemainTraining):
    """Initialises the last layers afresh and tunes all weights on remain images, as training would.

    With θ = (θ_kept, θ_last) and a fresh draw φ of the last layers' own initialisation, it starts at (θ_kept, φ) and
    descends on training's loss over remain images alone. Neither the draw nor a step depends on a forget image: what
    is left of these images is what the kept layers carry, and what tuning leaves of that.

    Goel et al. (2022, arXiv 2201.06640) propose EU-k, which initialises the last k layers afresh and trains those on
    the remain images, and CF-k, which trains the last k layers on from their trained weights. Departures from both:
    depth counts blocks (`blocks_of`) and not layers; the kept layers are tuned as well; learning rate, optimiser, loss
    and augmentation are training's own, in batches of 16, after a warm-up, for the share of training's cost that the
    run allows. The fresh values are those of each layer's `reset_parameters`, which a network's constructor may have
    replaced by others when it was trained. The statistics of fresh BatchNorm layers begin at mean 0 and variance 1.

    Args:
        depth: `head`, `last_block` (the head and the block before it), a number n (the head and the n blocks before
            it), or `all`.
        distillation: See `RemainTraining`.
        temperature: See `RemainTraining`.

    Raises:
        ConfigError: `depth` is none of these, or another value is out of range.

    >>> Reset(depth=2).depth
    2
    """

    def __init__(self, *, depth: Depth = "last_block", distillation: float = 0.0, temperature: float = 2.0) -> None:
        super().__init__(distillation=distillation, temperature=temperature)
        check_depth(depth)
        self.depth = depth
        self._passed = 0

    def start(self, context: MethodContext) -> dict[str, Tensor]:
        """Return the weights with the layers within `depth` initialised afresh, from the seed alone.

        Raises:
            ConfigError: The network has fewer blocks, or a layer cannot be initialised.
        """
        self._passed = int(self.depth != "all")
        within = modules_within(context.network, self.depth, blank_image(context))
        return initialised_afresh(context.network, within, seed=context.seed)

    @property
    def forward_passes(self) -> int:
        """The one that shows in which order the layers run."""
        return self._passed


def blank_image(context: MethodContext) -> Tensor:
    """Return zeros of the shape of an image, (channel, *spatial), so that what is found with it depends on no image."""
    items = context.forget if context.remain is None else context.remain
    return torch.zeros_like(torch.as_tensor(items[0]["image"]), device=context.device)


def initialised_afresh(network: nn.Module, names: Iterable[str], *, seed: int) -> dict[str, Tensor]:
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
            "initialised afresh. Give the class that method, or another depth."
        )
