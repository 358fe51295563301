"""Batches in pieces, for when a whole one does not fit into memory."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

# What PyTorch's CPU allocator says, on Linux and on Windows.
_WORDS = ("can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory ran out, on whatever device."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


def smallest_part(batch: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the number of images in the smallest part of a batch."""
    return min(len(items["image"]) for items in batch.values())


def in_micro_batches(batch: Mapping[str, Mapping[str, Any]], pieces: int) -> list[dict[str, dict[str, Any]]]:
    """Split a batch so that each piece holds an equal share of every part.

    The mean of the pieces' losses is the batch's loss where loss is a mean over each part's images and the
    parts divide evenly; else an image of a smaller piece weighs a little more.

    Args:
        batch: The batch; every tensor in it has the image as its first axis.
        pieces: How many, at most as many as the smallest part has images.
    """
    if pieces == 1:
        return [{part: dict(items) for part, items in batch.items()}]
    shares = {part: _shares(items, pieces) for part, items in batch.items()}
    return [{part: share[number] for part, share in shares.items()} for number in range(pieces)]


def _shares(items: Mapping[str, Any], pieces: int) -> list[dict[str, Any]]:
    size = len(items["image"])
    bounds = [size * number // pieces for number in range(pieces + 1)]
    return [
        {key: value[low:high] if isinstance(value, (Tensor, list)) else value for key, value in items.items()}
        for low, high in itertools.pairwise(bounds)
    ]
