"""Batches that hold forget and remain images side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from monai.data import DataLoader

from monai_unlearn.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.utils.data import Dataset


class PairedLoader:
    """Yields `{"forget": batch, "remain": batch}`; one epoch is one pass over the forget images.

    The remain images go round independently, shuffled anew at each round, so that the cost of an epoch
    grows with the forget set and not with the archive. The draws depend on the seed alone.

    Args:
        forget: Items of the forget part, not empty.
        remain: Items of the remain part, not empty.
        batch_size: Forget images a batch.
        remain_batch_size: Remain images a batch.
        seed: Seeds both orders.
        num_workers: Processes that load; 0 loads in this one.
    """

    def __init__(
        self,
        *,
        forget: Dataset[Any],
        remain: Dataset[Any],
        batch_size: int = 16,
        remain_batch_size: int = 32,
        seed: int = 0,
        num_workers: int = 0,
    ) -> None:
        for part, data in {"forget": forget, "remain": remain}.items():
            if len(data) == 0:  # type: ignore[arg-type]  # torch's Dataset does not declare __len__
                raise DataError(f"the {part} part has no training image: nothing to unlearn from.")
        self.batch_size = batch_size
        self._forget = _shuffled(forget, batch_size, seed, num_workers)
        self._remain = _shuffled(remain, remain_batch_size, seed + 1, num_workers)

    def __len__(self) -> int:
        return len(self._forget)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        remain = _endless(self._remain)
        for forget in self._forget:
            yield {"forget": forget, "remain": next(remain)}


def _shuffled(data: Dataset[Any], batch_size: int, seed: int, num_workers: int) -> DataLoader:
    generator = torch.Generator().manual_seed(seed)
    size = min(batch_size, len(data))  # type: ignore[arg-type]  # as above
    return DataLoader(data, batch_size=size, shuffle=True, generator=generator, num_workers=num_workers)


def _endless(loader: DataLoader) -> Iterator[Any]:
    while True:
        yield from loader
