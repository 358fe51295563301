"""Batches that hold forget and remain images side by side, each following from the seed and its number alone."""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import torch
from monai.data import list_data_collate
from monai.transforms import Randomizable
from torch.utils.data import DataLoader, Dataset, Sampler

from monai_unlearn.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

PARTS = ("forget", "remain")
# Far apart, so that two seeds share no round of an order.
_STRIDE = 1_000_003


class PairedLoader:
    """Yields `{"forget": batch, "remain": batch}`; an epoch is one pass over the forget images.

    Each part goes round for ever, shuffled anew at each round, so that the cost of an epoch grows with the
    forget set and not with the archive. All batches are full: the last one of a round is filled up from the
    next. What batch number i holds follows from (seed, i), whatever was read before and by how many
    processes, so that a run can go on at any step. Random transforms of MONAI are seeded by (seed, i) too.

    Args:
        forget: Items of the forget part, not empty.
        remain: Items of the remain part, not empty.
        batch_size: Forget images a batch, at least 1; at most as many as there are.
        remain_batch_size: Remain images a batch, likewise.
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
        self.data: dict[str, Dataset[Any]] = {"forget": forget, "remain": remain}
        self.lengths = {part: _length(data) for part, data in self.data.items()}
        for part, length in self.lengths.items():
            if length == 0:
                raise DataError(f"the {part} part has no training image: nothing to unlearn from.")
        wanted = {"forget": batch_size, "remain": remain_batch_size}
        if min(wanted.values()) < 1 or num_workers < 0:
            raise ConfigError(
                "batches: expected batch_size and remain_batch_size of at least 1 and num_workers of at least 0, got "
                f"{batch_size}, {remain_batch_size} and {num_workers}."
            )
        self.batch_sizes = {part: min(size, self.lengths[part]) for part, size in wanted.items()}
        self.batch_size = batch_size
        self.seed = seed
        self.num_workers = num_workers

    def __len__(self) -> int:
        return math.ceil(self.lengths["forget"] / self.batch_sizes["forget"])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return itertools.islice(self.batches(), len(self))

    def rows(self, step: int, part: str) -> list[int]:
        """Return the numbers of the images of one part in batch number `step`, from 0."""
        size, length = self.batch_sizes[part], self.lengths[part]
        seed = 2 * self.seed + PARTS.index(part)
        rows: list[int] = []
        position = step * size
        while len(rows) < size:
            turn, start = divmod(position + len(rows), length)
            rows += _order(length, seed, turn)[start : start + size - len(rows)].tolist()
        return rows

    def batches(
        self,
        *,
        start: int = 0,
        parts_of: Callable[[int], Sequence[str]] | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> PairedBatches:
        """Return the endless batches from number `start` on.

        Args:
            start: Number of the first batch, from 0.
            parts_of: Which parts a batch holds, by its number; both by default.
            rank: Number of this process.
            world_size: Processes that share every batch equally.

        Raises:
            ConfigError: A batch cannot be shared equally.
        """
        for part, size in self.batch_sizes.items():
            if size % world_size:
                name = "batch_size" if part == "forget" else "remain_batch_size"
                raise ConfigError(
                    f"a batch of {size} {part} images cannot be shared equally by {world_size} processes: give "
                    f"--{name} {max(size - size % world_size, world_size)}."
                )
        return PairedBatches(self, start=start, parts_of=parts_of or _both, share=slice(rank, None, world_size))


class PairedBatches:
    """The batches of a `PairedLoader` from some number on, without end.

    Args:
        loader: Says what is in which batch.
        start: Number of the first batch.
        parts_of: Which parts a batch holds, by its number.
        share: Which of a batch's images this process reads.
    """

    def __init__(
        self, loader: PairedLoader, *, start: int, parts_of: Callable[[int], Sequence[str]], share: slice
    ) -> None:
        self.loader = loader
        self.step = start
        self.parts_of = parts_of
        self.share = share
        self._inner: Iterator[dict[str, Any]] | None = None

    def __iter__(self) -> PairedBatches:
        return self

    def __next__(self) -> dict[str, Any]:
        if self._inner is None:
            self._inner = iter(self._open())
        batch = next(self._inner)
        self.step += 1
        return batch

    def restart(self) -> None:
        """Ask anew which parts the batches hold, and drop what was read ahead."""
        self._inner = None

    def _open(self) -> DataLoader[Any]:
        # The loader draws its workers' seeds from a generator; its own, so that global state stays as it is.
        return DataLoader(
            _Pairs(self.loader.data, self.loader.seed),
            batch_size=None,
            sampler=_Steps(self.loader, self.step, self.parts_of, self.share),
            collate_fn=_as_it_is,
            generator=torch.Generator(),
            num_workers=self.loader.num_workers,
        )


class _Steps(Sampler[Any]):
    """Names what each batch holds, from some number on.

    It knows nothing of the `PairedBatches` it serves: in a circle of references, worker processes would
    outlive their batches until the garbage collector comes by.
    """

    def __init__(
        self, loader: PairedLoader, start: int, parts_of: Callable[[int], Sequence[str]], share: slice
    ) -> None:
        self.loader = loader
        self.start = start
        self.parts_of = parts_of
        self.share = share

    def __iter__(self) -> Iterator[tuple[int, dict[str, list[int]]]]:
        for step in itertools.count(self.start):
            yield step, {part: self.loader.rows(step, part)[self.share] for part in self.parts_of(step)}


class _Pairs(Dataset[Any]):
    """Reads what a `_Steps` names, in whichever process."""

    def __init__(self, data: Mapping[str, Dataset[Any]], seed: int) -> None:
        self.data = data
        self.seed = seed

    def __getitem__(self, wanted: tuple[int, dict[str, list[int]]]) -> dict[str, Any]:
        step, rows = wanted
        for part in rows:
            transform = getattr(self.data[part], "transform", None)
            if isinstance(transform, Randomizable):
                transform.set_random_state(seed=(self.seed * _STRIDE + step) % 2**32)
        return {part: list_data_collate([self.data[part][row] for row in found]) for part, found in rows.items()}


def _both(_step: int) -> Sequence[str]:
    return PARTS


def _as_it_is(batch: Any) -> Any:  # noqa: ANN401 - a batch is what the items make of it
    return batch


def _length(data: Dataset[Any]) -> int:
    return len(data)  # type: ignore[arg-type]  # torch's Dataset does not declare __len__


@functools.lru_cache(maxsize=8)
def _order(length: int, seed: int, turn: int) -> Tensor:
    """Return the order of a part's images in one round.

    torch's RandomSampler shares one generator over all rounds, and how far it is drawn depends on how far
    worker processes have looked ahead.
    """
    return torch.randperm(length, generator=torch.Generator().manual_seed(seed * _STRIDE + turn))
