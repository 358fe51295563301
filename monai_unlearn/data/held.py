"""Where decoded images are held: in memory where they fit half of what is free, otherwise on disk."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from monai_unlearn.data.free_memory import AUTO, memory_limit
from monai_unlearn.data.on_disk import OnDiskDataset, is_on_disk
from monai_unlearn.data.read_once import InMemoryDataset, ReadOnceDataset
from monai_unlearn.data.record_layout import RecordLayout
from monai_unlearn.data.shared_images import SharedImages
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from typing import TypeVar

    from monai_unlearn.data.cohort_data import CohortData
    from monai_unlearn.data.pixel_digest import PixelCheck

    Key = TypeVar("Key", bound=Hashable)


def held_images(
    *,
    items: Sequence[Any],
    transform: Callable[[Any], Any],
    data: CohortData | None = None,
    memory: int | str = AUTO,
    cache_dir: str | Path | None = None,
) -> ReadOnceDataset:
    """Return items as a data set, all decoded at the start; a bundle's training config uses it.

    Args:
        items: Items as `CohortData.items` returns them.
        transform: Deterministic preprocessing of items; no augmentation.
        data: The cohort that the items are of; their files are compared with its index first.
        memory: As in `subset_datasets`.
        cache_dir: The folder in which decoded images are kept if they do not fit; by default the system's for temporary
            files.

    Raises:
        InputError: A file is not the one that was indexed or cannot be decoded, or there is no room.
    """
    pixels = None if data is None else data.pixels
    if pixels is not None:
        pixels.check(items)
    [images] = hold(
        {"images": items},
        transform,
        pixels=pixels,
        memory=memory,
        cache_dir=None if cache_dir is None else Path(cache_dir),
        shared=SharedImages.of(transform, pixels=pixels, cache_dir=cache_dir),
    ).values()
    images.read()
    return images


def hold(
    subsets: Mapping[Key, Sequence[Any]],
    transform: Callable[[Any], Any],
    *,
    pixels: PixelCheck | None,
    memory: int | str,
    cache_dir: Path | None,
    shared: SharedImages | None = None,
) -> dict[Key, ReadOnceDataset]:
    """Return data sets that are held in the same place, with one image decoded, by which the place is chosen.

    Images fit if all together, each as large as the first, take at most `memory`. Images that this process holds on
    disk already are not decoded again.

    Args:
        subsets: The items of each.
        transform: Deterministic preprocessing of items.
        pixels: What the files were when they were compared with the index.
        memory: `auto` for half of what is free; or a number of bytes, or a text such as `2 GB`.
        cache_dir: The folder in which decoded images are kept if they do not fit.
        shared: What other runs of an experiment decoded already, if it shares that.

    Raises:
        InputError: An image cannot be decoded or held.
    """
    limit = memory_limit(memory)
    filled = [(key, items) for key, items in subsets.items() if items]
    in_memory: dict[Key, ReadOnceDataset] = {
        key: InMemoryDataset(items, transform, description=_description(key), pixels=pixels, lazy=True, shared=shared)
        for key, items in subsets.items()
    }
    if not filled:
        return in_memory
    key, items = filled[0]
    first = in_memory[key][0]
    count = sum(len(items) for _, items in filled)
    needed = count * bytes_of(first)
    if shared is not None:
        shared.limit(needed)
    if needed <= limit and not (len(filled) == 1 and is_on_disk(items, transform, pixels)):
        return in_memory
    layout = RecordLayout.of(items[0], first)
    on_disk = {
        other: OnDiskDataset(
            one,
            transform,
            layout=layout,
            description=_description(other),
            pixels=pixels,
            cache_dir=cache_dir,
            shared=shared,
        )
        for other, one in filled
    }
    if not on_disk[key].holds(0):
        on_disk[key].keep(0, first)
        say(_told(count, needed, limit, on_disk[key].folder.parent), err=True)
    return {**in_memory, **on_disk}


def bytes_of(value: Any) -> int:  # noqa: ANN401 - whatever a transform returns
    """Return about how many bytes of memory a value takes, with what it contains."""
    if isinstance(value, Tensor):
        return sys.getsizeof(value) + value.nbytes
    if isinstance(value, np.ndarray):
        return sys.getsizeof(None) + value.nbytes
    if isinstance(value, Mapping):
        return sys.getsizeof(value) + sum(bytes_of(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return sys.getsizeof(value) + sum(bytes_of(one) for one in value)
    return sys.getsizeof(value)


def _description(key: object) -> str:
    return f"Reading {' / '.join(key) if isinstance(key, tuple) else key}"


def _told(count: int, needed: int, limit: int, where: Path) -> str:
    return (
        f"{count:,} decoded images need {needed / 1e9:,.2f} GB, and {limit / 1e9:,.2f} GB of memory are for them: they "
        f"are kept in a folder of their own in {where}, which is removed at the end. They are patient data."
    )
