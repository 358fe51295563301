"""Batches that hold forget and remain images side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from monai.data import DataLoader
from torch.utils.data import Sampler

from monai_unlearn.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.utils.data import Dataset


class PairedLoader:
    """Yields `{"forget": batch, "remain": batch}`; one epoch is one pass over the forget images.

    The remain images go round independently, shuffled anew at each round, so that the cost of an epoch
    grows with the forget set and not with the archive. The order depends on the seed alone.

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
        self._forget = _shuffled(forget, batch_size, 2 * seed, num_workers)
        self._remain = _shuffled(remain, remain_batch_size, 2 * seed + 1, num_workers)

    def __len__(self) -> int:
        return len(self._forget)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        remain = _endless(self._remain)
        for forget in self._forget:
            yield {"forget": forget, "remain": next(remain)}


class _Rounds(Sampler[int]):
    """Shuffles anew each round, by seed and round.

    torch's RandomSampler shares one generator over all rounds, and how far it is drawn depends on how far
    worker processes have looked ahead.
    """

    def __init__(self, length: int, seed: int) -> None:
        self.length = length
        self.seed = seed
        self.round = 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.round)
        self.round += 1
        yield from torch.randperm(self.length, generator=generator).tolist()


def _shuffled(data: Dataset[Any], batch_size: int, seed: int, num_workers: int) -> DataLoader:
    length = len(data)  # type: ignore[arg-type]  # as above
    # The loader draws its workers' seeds from a generator; its own, so that global state stays as it is.
    return DataLoader(
        data,
        batch_size=min(batch_size, length),
        sampler=_Rounds(length, seed),
        generator=torch.Generator(),
        num_workers=num_workers,
    )


def _endless(loader: DataLoader) -> Iterator[Any]:
    while True:
        yield from loader
