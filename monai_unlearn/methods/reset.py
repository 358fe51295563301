"""Resetting: initialise the last layers afresh, then tune all weights on remain images as in training."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import Method, MethodContext, StepSettings
from monai_unlearn.methods.depth import Depth, check_depth, modules_within
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

# Keeps the draws apart from those of training and of other methods under the same seed.
_STRIDE, _STREAM = 1_000_003, 7


@register(
    MethodInfo(
        name="reset",
        paper="after Goel et al. 2022, EU-k and CF-k, arXiv 2201.06640",
        equations="last layers initialised afresh, then training's own loss on remain images, all weights tuned",
        needs_remain=True,
        cost="one gradient per remain image of each step; one forward pass of a single image to find the layers",
        search_space={
            "method::depth": ("last_block", "head", 2),
            "training::rate_factor": (1.0, 0.5, 2.0),
        },
    )
)
class Reset(Method):
    """Initialises the last layers afresh and tunes all weights on remain images, as training would.

    With θ = (θ_kept, θ_last) and a fresh draw φ of the last layers' own initialisation, it starts at (θ_kept, φ) and
    descends on training's loss over remain images alone. Neither the draw nor a step depends on a forget image: what
    is left of these images is what the kept layers carry, and what tuning leaves of that.

    Goel et al. (2022, arXiv 2201.06640) propose EU-k, which initialises the last k layers afresh and trains those on
    the remain images, and CF-k, which trains the last k layers on from their trained weights. Departures from both:
    depth counts blocks (`blocks_of`) and not layers; the kept layers are tuned as well; learning rate, optimiser, loss
    and augmentation are training's own, in batches of 16, after a warm-up, for the share of training's cost that the
    run allows. The fresh values are those of each layer's `reset_parameters`, which a network's constructor may have
    replaced by others when it was trained.

    BatchNorm runs in train mode on the remain images, which its running statistics follow; those of fresh layers begin
    at mean 0 and variance 1.

    Args:
        depth: `head`, `last_block` (the head and the block before it), a number n (the head and the n blocks before
            it), or `all`.

    Raises:
        ConfigError: `depth` is none of these.

    >>> Reset(depth=2).depth
    2
    """

    steps = StepSettings(learning_rate=1.0, warm_up=0.1, batch_size=1, remain_batch_size=16, as_training=True)
    needs_forget = False

    def __init__(self, *, depth: Depth = "last_block") -> None:
        super().__init__(batch_norm="remain")
        check_depth(depth)
        self.depth = depth
        self._passed = 0

    def prepare(self, context: MethodContext) -> None:
        """Initialise the layers within `depth` afresh, from the seed alone; a resumed run draws the same values.

        Raises:
            ConfigError: There are no remain images, the network has fewer blocks, or a layer cannot be initialised.
        """
        super().prepare(context)
        self._training_loss = context.training_loss
        self._passed = self.depth != "all"
        fresh = initialised_afresh(context.network, self._within(context), seed=context.seed)
        context.network.load_state_dict(fresh)

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return training's loss on the remain images of the batch."""
        remain = batch["remain"]
        return self._training_loss(self.forward("remain", remain["image"]), remain["label"])

    @property
    def parts(self) -> tuple[str, ...]:
        """Remain images alone."""
        return ("remain",)

    @property
    def forward_passes(self) -> int:
        """The one that shows in which order the layers run."""
        return self._passed

    def _within(self, context: MethodContext) -> tuple[str, ...]:
        if context.remain is None:
            raise ConfigError("reset: expected remain images, got none.")
        # Its shape is all that counts, so that the reset depends on no image.
        image = torch.zeros_like(torch.as_tensor(context.remain[0]["image"]), device=context.device)
        return modules_within(context.network, self.depth, image)


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
            f"reset: {type(module).__name__} '{name}' has weights but no `reset_parameters`, so that they cannot be "
            "initialised afresh. Give the class that method, or another depth."
        )
