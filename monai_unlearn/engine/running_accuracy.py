"""What a training step shows of accuracy, at no cost: the logits that it computes anyway."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Of the newest batch, in the moving average.
WEIGHT = 0.2


class RunningAccuracy:
    """Moving averages of accuracy on the batches that pass through a network, part by part."""

    def __init__(self) -> None:
        self._right: dict[str, Tensor] = {}

    @property
    def accuracy(self) -> dict[str, float]:
        """The averages by part, in [0, 1]; parts that the network did not read whole are missing."""
        return {part: float(right) for part, right in self._right.items()}

    @contextmanager
    def over(self, network: nn.Module, batch: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
        """Take note of what the network reads of a batch's parts while the block runs."""

        def look(_module: nn.Module, inputs: tuple[Any, ...], logits: Any) -> None:  # noqa: ANN401 - any network's output
            if inputs and isinstance(inputs[0], Tensor) and isinstance(logits, Tensor):
                for part, rows in _parts_in(inputs[0], batch).items():
                    right = logits.detach()[rows].argmax(1) == batch[part]["label"]
                    self._take(part, right.float().mean())

        handle = network.register_forward_hook(look)
        try:
            yield
        finally:
            handle.remove()

    def _take(self, part: str, right: Tensor) -> None:
        before = self._right.get(part, right)
        # Stays on the device: reading it out at every step would make the device wait.
        self._right[part] = before + WEIGHT * (right - before)


def _parts_in(images: Tensor, batch: Mapping[str, Mapping[str, Any]]) -> dict[str, slice]:
    """Return which rows of what a network is given are which part: one whole part, or all of them in order."""
    for part, items in batch.items():
        if images.data_ptr() == items["image"].data_ptr() and images.shape == items["image"].shape:
            return {part: slice(None)}
    ends = list(itertools.accumulate(len(items["image"]) for items in batch.values()))
    if len(batch) == 1 or len(images) != ends[-1]:
        return {}
    return {part: slice(end - len(batch[part]["image"]), end) for part, end in zip(batch, ends, strict=True)}
