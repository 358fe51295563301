"""Batches of forget and remain images side by side, each determined by the seed and its number alone."""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import torch
from monai.data import list_data_collate
from monai.transforms import Randomizable
from torch.utils.data import DataLoader, Dataset, Sampler

from monai_unlearn.data.on_disk import OnDiskDataset
from monai_unlearn.data.read_once import read_rows
from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.safe_path import safe_start

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from torch import Tensor

# The parts of a batch, in the order that their seeds are derived in.
_PARTS = ("forget", "remain")
# Far apart, so that no round of one seed has the order of a round of another.
_STRIDE = 1_000_003


class PairedLoader:
    """Yields `{"forget": batch, "remain": batch}`; an epoch is one pass over the forget images.

    Each part is repeated without end and shuffled again in each round, so that the cost of an epoch grows with the
    forget set and not with the archive. All batches are full: the last one of a round is filled from the next round.
    Batch number i depends on the seed and i alone, not on the batches before it or on the number of processes, so that
    a run can resume at any step. MONAI's random transforms are seeded by (seed, i) too.

    Args:
        forget: Items of the forget part, not empty.
        remain: Items of the remain part, not empty.
        batch_size: Forget images per batch, at least 1; at most as many as there are.
        remain_batch_size: Remain images per batch, at least 1; at most as many as there are.
        seed: Seeds the order of both parts; the two orders are independent.
        num_workers: Processes that load; 0 loads in this one.

    Raises:
        DataError: A part has no image.
        ConfigError: A size is out of range.

    Example:
        >>> from monai_unlearn.data import PairedLoader
        >>> forget = [{"image": float(row), "row": row} for row in range(4)]
        >>> remain = [{"image": float(row), "row": row} for row in range(9)]
        >>> loader = PairedLoader(forget=forget, remain=remain, batch_size=2, remain_batch_size=3, seed=0)
        >>> len(loader)  # four forget images in batches of two
        2
        >>> for step, batch in enumerate(loader):
        ...     assert batch["forget"]["row"].tolist() == loader.rows(step, "forget")
        ...     print(len(batch["forget"]["row"]), len(batch["remain"]["row"]))
        2 3
        2 3
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

    @functools.cached_property
    def forget_labels(self) -> tuple[int, ...]:
        """The label of each forget image, in order."""
        return tuple(int(self.data["forget"][row]["label"]) for row in range(self.lengths["forget"]))

    @functools.cached_property
    def forget_classes(self) -> tuple[int, ...]:
        """The labels of the forget images, each once, in ascending order."""
        return tuple(sorted(set(self.forget_labels)))

    def rows(self, step: int, part: str, *, without: Collection[int] = ()) -> list[int]:
        """Return the row numbers of the images of one part in batch number `step`, from 0.

        Args:
            step: Number of the batch.
            part: The part.
            without: Labels of forget images that are left out, not of all. The others fill the batch: each comes more
                often, and twice in a batch where there are fewer than it takes.
        """
        drawn_from = None
        if part == "forget" and without:
            drawn_from = [row for row, label in enumerate(self.forget_labels) if label not in without]
        size, length = self.batch_sizes[part], self.lengths[part] if drawn_from is None else len(drawn_from)
        seed = 2 * self.seed + _PARTS.index(part)
        rows: list[int] = []
        position = step * size
        while len(rows) < size:
            turn, start = divmod(position + len(rows), length)
            rows += _order(length, seed, turn)[start : start + size - len(rows)].tolist()
        return rows if drawn_from is None else [drawn_from[row] for row in rows]

    def read_drawn(self, steps: int, *, share: slice = slice(None)) -> None:
        """Read the images of so many batches, where the data sets read each image once; no others are decoded.

        What a run will draw is known before its first step, so that no step waits for a decoder, and an image that
        cannot be read stops the run at once.

        Args:
            steps: The number of batches, from the first on.
            share: The images of a batch that this process reads.

        Raises:
            DataError: An image cannot be read.
        """
        for part, data in self.data.items():
            read_rows(data, {row for step in range(steps) for row in self.rows(step, part)[share]})

    def batches(
        self,
        *,
        start: int = 0,
        parts_of: Callable[[int], Sequence[str]] | None = None,
        rank: int = 0,
        world_size: int = 1,
        without: Callable[[], Collection[int]] = tuple,
    ) -> PairedBatches:
        """Return batches without end, beginning with number `start`.

        Args:
            start: Number of the first batch, from 0.
            parts_of: Maps the number of a batch to its parts; both by default.
            rank: Number of this process.
            world_size: Number of processes; each gets an equal share of every batch.
            without: Returns the labels of forget images that are left out for now, as in `rows`; after a change, call
                `restart`.

        Raises:
            ConfigError: A batch cannot be divided equally.
        """
        for part, size in self.batch_sizes.items():
            if size % world_size:
                name = "batch_size" if part == "forget" else "remain_batch_size"
                raise ConfigError(
                    f"a batch of {size} {part} images cannot be divided equally among {world_size} processes: give "
                    f"--{name} {max(size - size % world_size, world_size)}."
                )
        share = slice(rank, None, world_size)
        return PairedBatches(self, start=start, parts_of=parts_of or _both, share=share, without=without)


class PairedBatches:
    """The batches of a `PairedLoader` from a number on, without end.

    Args:
        loader: Determines the content of each batch.
        start: Number of the first batch.
        parts_of: Maps the number of a batch to its parts.
        share: The images of a batch that this process reads.
        without: Returns the labels of forget images that are left out for now.
    """

    def __init__(
        self,
        loader: PairedLoader,
        *,
        start: int,
        parts_of: Callable[[int], Sequence[str]],
        share: slice,
        without: Callable[[], Collection[int]] = tuple,
    ) -> None:
        self.loader = loader
        self.step = start
        self.parts_of = parts_of
        self.share = share
        self.without = without
        self._inner: Iterator[dict[str, Any]] | None = None

    def __iter__(self) -> PairedBatches:
        return self

    def __next__(self) -> dict[str, Any]:
        if self._inner is None:
            with safe_start(keep_path=True):
                self._inner = iter(self._open())
        batch = next(self._inner)
        self.step += 1
        return batch

    def restart(self) -> None:
        """Call `parts_of` and `without` again for the coming batches, and discard those that were read ahead."""
        self._inner = None

    def _open(self) -> DataLoader[Any]:
        # The loader draws seeds of its workers: from a generator of its own, so that the global one is not advanced.
        return DataLoader(
            _Pairs(self.loader.data, self.loader.seed),
            batch_size=None,
            sampler=_Steps(self.loader, self.step, self.parts_of, self.share, self.without),
            collate_fn=_unchanged,
            generator=torch.Generator(),
            num_workers=self.loader.num_workers,
        )


class _Steps(Sampler[Any]):
    """Yields the number and the rows of each batch, from a number on.

    It holds no reference to its `PairedBatches`: with a reference cycle, worker processes would stay alive until the
    garbage collector runs.
    """

    def __init__(
        self,
        loader: PairedLoader,
        start: int,
        parts_of: Callable[[int], Sequence[str]],
        share: slice,
        without: Callable[[], Collection[int]],
    ) -> None:
        self.loader = loader
        self.start = start
        self.parts_of = parts_of
        self.share = share
        self.without = without

    def __iter__(self) -> Iterator[tuple[int, dict[str, list[int]]]]:
        for step in itertools.count(self.start):
            rows = {part: self.loader.rows(step, part, without=self.without()) for part in self.parts_of(step)}
            yield step, {part: found[self.share] for part, found in rows.items()}


class _Pairs(Dataset[Any]):
    """Reads the batches that `_Steps` yields, in this process or in a worker."""

    def __init__(self, data: Mapping[str, Dataset[Any]], seed: int) -> None:
        self.data = data
        self.seed = seed

    def __getitem__(self, wanted: tuple[int, dict[str, list[int]]]) -> dict[str, Any]:
        step, rows = wanted
        for part in rows:
            transform = getattr(self.data[part], "transform", None)
            if isinstance(transform, Randomizable):
                transform.set_random_state(seed=(self.seed * _STRIDE + step) % 2**32)
        return {part: _batch(self.data[part], found) for part, found in rows.items()}


def _batch(data: Dataset[Any], rows: Sequence[int]) -> Any:  # noqa: ANN401 - a batch is what the items make of it
    """Return some items as one batch; what is on disk is read into its place in the batch."""
    if isinstance(data, OnDiskDataset) and rows:
        return data.batch(rows)
    return list_data_collate([data[row] for row in rows])


def _both(_step: int) -> Sequence[str]:
    return _PARTS


def _unchanged(batch: Any) -> Any:  # noqa: ANN401 - a batch is what the items make of it
    return batch


def _length(data: Dataset[Any]) -> int:
    return len(data)  # type: ignore[arg-type]  # torch's Dataset does not declare __len__


@functools.lru_cache(maxsize=8)
def _order(length: int, seed: int, turn: int) -> Tensor:
    """Return the order of a part's images in one round.

    torch's RandomSampler uses one generator for all rounds, and its state depends on how far worker processes have
    read ahead.
    """
    return torch.randperm(length, generator=torch.Generator().manual_seed(seed * _STRIDE + turn))
