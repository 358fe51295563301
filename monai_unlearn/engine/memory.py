"""Micro-batches, for when a whole batch does not fit into memory."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

# From the messages of PyTorch's CPU allocator, on Linux and on Windows.
_PHRASES = ("can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out, on any device."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error) for phrase in _PHRASES)


def smallest_part(batch: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the number of images in the smallest part of a batch."""
    return min(len(items["image"]) for items in batch.values())


def in_micro_batches(batch: Mapping[str, Mapping[str, Any]], count: int) -> list[dict[str, dict[str, Any]]]:
    """Split a batch so that each micro-batch holds an equal share of every part.

    If the loss is a mean over the images of each part and the parts divide evenly, the mean of the micro-batches'
    losses is the loss of the batch; otherwise, an image in a smaller micro-batch weighs slightly more.

    Args:
        batch: The batch; the first axis of every tensor in it is the image.
        count: The number of micro-batches, at most the number of images in the smallest part.
    """
    if count == 1:
        return [{part: dict(items) for part, items in batch.items()}]
    shares = {part: _shares(items, count) for part, items in batch.items()}
    return [{part: share[number] for part, share in shares.items()} for number in range(count)]


def _shares(items: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    size = len(items["image"])
    bounds = [size * number // count for number in range(count + 1)]
    return [
        {key: value[low:high] if isinstance(value, (Tensor, list)) else value for key, value in items.items()}
        for low, high in itertools.pairwise(bounds)
    ]
