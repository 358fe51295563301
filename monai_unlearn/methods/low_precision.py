"""A frozen network in the form that is fastest on a device: bfloat16 and channels-last memory."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_IMAGE_BATCH_DIMS = 4  # batch, channel, height, width
_VOLUME_KERNEL_DIMS = 5  # channel out, channel in, depth, height, width


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device computes in bfloat16 natively; where it is emulated, it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # Older versions of torch do not report what the processor can do; they stay with float32.
    known: Callable[[], Mapping[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    capabilities = known()
    return device.type == "cpu" and any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "sve_bf16"))


def channels_last(network: nn.Module) -> nn.Module:
    """Move a network to channels-last memory, where 2-D convolutions are faster; 3-D networks stay as they are."""
    if any(parameter.ndim == _VOLUME_KERNEL_DIMS for parameter in network.parameters()):
        return network
    moved: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    return moved


def in_bfloat16(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return a copy of a network that computes in bfloat16 and, for 2-D images, in channels-last memory.

    Args:
        network: The network to copy, in eval mode.

    Returns:
        A function from inputs (batch, channel, *spatial) to float32 logits (batch, class).
    """
    network = channels_last(copy.deepcopy(network))

    def forward(inputs: Tensor) -> Tensor:
        if inputs.ndim == _IMAGE_BATCH_DIMS:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16):
            logits: Tensor = network(inputs)
        return logits.float()

    return forward
