"""Networks as audits see them, made of arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass
class PlayedNetworks:
    """Gives the features, curves and recalibrations that a test wrote down.

    Attributes:
        of_rows: The features of each network, shape (row of the table, feature).
        curves: The logits after each step of each network.
        recalibrate: Returns logits of rows for a number of images and a seed.
        asked: What was asked for, in order.
    """

    of_rows: Mapping[str, np.ndarray] = field(default_factory=dict)
    curves: Mapping[str, list[np.ndarray]] = field(default_factory=dict)
    recalibrate: Callable[[np.ndarray, int, int], np.ndarray] | None = None
    asked: list[object] = field(default_factory=list)

    @property
    def has_batch_norm(self) -> bool:
        return self.recalibrate is not None

    def features(self, network: str, rows: np.ndarray) -> np.ndarray:
        self.asked.append((network, len(rows)))
        return self.of_rows[network][rows]

    def relearn(self, network: str, rows: np.ndarray) -> Iterator[np.ndarray]:
        for logits in self.curves[network]:
            self.asked.append(network)
            yield np.broadcast_to(logits, (len(rows), logits.shape[-1]))

    def recalibrated(self, rows: np.ndarray, *, images: int, seed: int) -> np.ndarray:
        self.asked.append((images, seed))
        return self.recalibrate(rows, images, seed)
