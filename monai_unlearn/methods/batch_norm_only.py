"""BatchNorm alone: forget images pass in train mode and no weight learns; a control for what looks like forgetting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.utils.data import Subset

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import FORWARD_PASS
from monai_unlearn.methods.one_shot import OneShot
from monai_unlearn.methods.passes import batches_of, size_of
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from monai_unlearn.methods.base import MethodContext

_BATCH_NORM = nn.modules.batchnorm._BatchNorm  # noqa: SLF001 - torch has no public base


@register(
    MethodInfo(
        name="batch_norm_only",
        paper="a control: the loop of the code of arXiv 2505.21872 at a learning rate of 0",
        equations="forget batches pass once in train mode; set recalibrate: false, which would undo it",
        needs=("forget",),
        suits=(),
        batch_norm="train mode on forget images alone; nothing else changes",
        cost="one forward pass of each forget image",
        search_space={"recalibrate": (False,)},
    )
)
class BatchNormOnly(OneShot):
    """Moves the running statistics of BatchNorm towards forget images, and no weight.

    Each batch of forget images x moves the statistics of every BatchNorm layer, of momentum m,

        mean ← (1 − m) · mean + m · mean(x),  variance ← (1 − m) · variance + m · variance(x)

    as any train-mode pass does. A loop that trains on forget batches in train mode does this beside its learning, and
    the accuracy on these images falls by it alone; recalibrating on remain images brings it back. What a method
    achieves must differ from this. Departures from that loop: one pass over the images instead of ten, in batches in
    an order drawn from the seed, an incomplete last one left out; everything but BatchNorm runs in eval mode, so that
    dropout draws nothing.

    Args:
        batch: Images in a batch, at least 2; all of them where they are fewer.

    Raises:
        ConfigError: `batch` is below 2.
    """

    def __init__(self, *, batch: int = 64) -> None:
        super().__init__(batch_norm="published")
        if batch < 2:  # noqa: PLR2004 - the variance of a batch needs two
            raise ConfigError(f"batch_norm_only: expected batches of at least 2 images, got {batch}.")
        self.batch = batch
        self._passed = 0

    def edit(self, context: MethodContext) -> None:
        """Pass the forget images once.

        Raises:
            ConfigError: No BatchNorm layer keeps running statistics, or there is but one image.
        """
        images, layers = size_of(context.forget), _tracking(context.network)
        if not layers or images < 2:  # noqa: PLR2004 - see `batch`
            raise ConfigError(
                "batch_norm_only: expected a network whose BatchNorm keeps running statistics, and two forget images; "
                f"got {len(layers)} such layers and {images} images. Without them there is nothing to control for."
            )
        context.network.eval()
        for layer in layers:
            layer.train()
        order = torch.randperm(images, generator=torch.Generator().manual_seed(context.seed))
        size = min(self.batch, images)
        whole = Subset(context.forget, order[: images - images % size].tolist())
        with torch.no_grad():
            for batch, _ in batches_of(whole, context.device, size=size):
                context.network(batch)
        context.network.eval()
        self._passed = len(whole)

    @property
    def forward_passes(self) -> int:
        """One for each image of a complete batch."""
        return self._passed

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """Return the cost of a forward pass of each forget image."""
        return FORWARD_PASS * forget


def _tracking(network: nn.Module) -> list[nn.Module]:
    return [m for m in network.modules() if isinstance(m, _BATCH_NORM) and m.track_running_stats]
