"""Training accuracy at no extra cost, from the logits that a step computes anyway."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Of the latest batch, in the exponential moving average.
WEIGHT = 0.2


class RunningAccuracy:
    """Exponential moving averages of training accuracy, one for each part."""

    def __init__(self) -> None:
        self._averages: dict[str, Tensor] = {}

    @property
    def accuracy(self) -> dict[str, float]:
        """The averages by part, in [0, 1]; without parts whose images did not pass through the network whole."""
        return {part: float(average) for part, average in self._averages.items()}

    @contextmanager
    def over(self, network: nn.Module, batch: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
        """Update the averages from every forward pass of the network on this batch, while the block runs.

        The average of a part that the batch leaves out is dropped: what it was before would be shown as if it were now.
        """
        self._averages = {part: average for part, average in self._averages.items() if part in batch}

        def update(_module: nn.Module, inputs: tuple[Any, ...], logits: Any) -> None:  # noqa: ANN401 - any network's output
            if inputs and isinstance(inputs[0], Tensor) and isinstance(logits, Tensor):
                for part, rows in _parts_in(inputs[0], batch).items():
                    correct = logits.detach()[rows].argmax(1) == batch[part]["label"]
                    self._add(part, correct.float().mean())

        handle = network.register_forward_hook(update)
        try:
            yield
        finally:
            handle.remove()

    def _add(self, part: str, accuracy: Tensor) -> None:
        before = self._averages.get(part, accuracy)
        # The tensor stays on the device: copying it out at every step would make the device wait.
        self._averages[part] = before + WEIGHT * (accuracy - before)


def _parts_in(images: Tensor, batch: Mapping[str, Mapping[str, Any]]) -> dict[str, slice]:
    """Return the rows of a network's input that belong to each part: one whole part, or all parts in order."""
    for part, items in batch.items():
        if images.data_ptr() == items["image"].data_ptr() and images.shape == items["image"].shape:
            return {part: slice(None)}
    ends = list(itertools.accumulate(len(items["image"]) for items in batch.values()))
    if len(batch) == 1 or len(images) != ends[-1]:
        return {}
    return {part: slice(end - len(batch[part]["image"]), end) for part, end in zip(batch, ends, strict=True)}
