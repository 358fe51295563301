"""How much arithmetic a network takes for an image, to count what a smaller one costs in gradients of a larger one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from torch import Tensor, nn


def flops(network: nn.Module, image: Tensor) -> int:
    """Return the floating-point operations of a forward pass of one image, as torch counts them.

    Args:
        network: Any network; it runs in eval mode, and its mode is restored.
        image: One input, shape (channel, *spatial), on its device; only its shape counts.
    """
    training = network.training
    network.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(image[None])
    finally:
        network.train(training)
    return int(counter.get_total_flops())


def relative_cost(network: nn.Module, original: nn.Module, image: Tensor) -> float:
    """Return what a gradient of a network costs, in gradients of another; 1 where torch counts no operation."""
    whole = flops(original, image)
    return flops(network, image) / whole if whole else 1.0
