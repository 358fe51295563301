"""The pictures of each part and split, decoded and preprocessed once for all that looks at them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from monai.data import CacheDataset
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch.utils.data import Dataset

    from monai_unlearn.data.cohort_data import CohortData


def cached_cells(
    *,
    data: CohortData,
    transform: Callable[[Any], Any],
    parts: Sequence[str] = ("forget", "remain"),
    splits: Sequence[str] = ("train", "test"),
    num_workers: int = 2,
) -> dict[tuple[str, str], Dataset[Any]]:
    """Return a data set held in memory for each (part, split).

    Args:
        data: The cohort's images.
        transform: Deterministic preprocessing of items; no augmentation.
        parts: The parts wanted.
        splits: The splits wanted.
        num_workers: Threads that read.
    """
    cells: dict[tuple[str, str], Dataset[Any]] = {}
    with Console(stderr=True).status("Reading pictures …") as status:
        for part, split in itertools.product(parts, splits):
            items = data.items([part], split)
            status.update(f"Reading {len(items)} pictures of {part} / {split} …")
            cells[part, split] = CacheDataset(items, transform, num_workers=num_workers, progress=False)
    return cells
