"""The images of each subset (part and split), decoded and preprocessed once and held in memory."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from rich.progress import track
from torch.utils.data import Dataset

from monai_unlearn.terminal import escaping_console

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monai_unlearn.data.cohort_data import CohortData


class InMemoryDataset(Dataset[Any]):
    """Items held in memory, preprocessed once, with a progress bar on stderr.

    This replaces MONAI's `CacheDataset`: where an image cannot be read, its threads keep running and can crash the
    process before the error message is printed.

    Args:
        items: Items as `CohortData.items` returns them.
        transform: Deterministic preprocessing of an item.
        description: Text of the progress bar.
    """

    def __init__(
        self, items: Sequence[Any], transform: Callable[[Any], Any], *, description: str = "Reading images"
    ) -> None:
        console = escaping_console(stderr=True)
        bar = track(items, description, console=console, disable=not console.is_terminal, transient=True)
        self._items = [transform(item) for item in bar]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Any:  # noqa: ANN401 - an item is what the transform makes of it
        return self._items[index]


def subset_datasets(
    *,
    data: CohortData,
    transform: Callable[[Any], Any],
    parts: Sequence[str] = ("forget", "remain"),
    splits: Sequence[str] = ("train", "test"),
) -> dict[tuple[str, str], Dataset[Any]]:
    """Return an `InMemoryDataset` for each (part, split); no image is read unless all are the files that were indexed.

    What earlier revisions of the bundle forgot has subsets of its own, `("earlier:0.2.0", split)`, where there is any.

    Args:
        data: The images of the cohort.
        transform: Deterministic preprocessing of items; no augmentation.
        parts: The parts to read.
        splits: The splits to read.

    Raises:
        InputError: A part or split is unknown, or a file is not the one that was indexed.
    """
    items = {(part, split): data.items([part], split) for part, split in itertools.product(parts, splits)}
    earlier = itertools.product(data.earlier.parts, splits)
    found = {(part, split): data.earlier_items(part, split) for part, split in earlier}
    items |= {subset: images for subset, images in found.items() if images}
    data.pixels.check(itertools.chain.from_iterable(items.values()))
    return {
        (part, split): InMemoryDataset(subset, transform, description=f"Reading {part} / {split}")
        for (part, split), subset in items.items()
    }
