"""A data set whose decoded images are on disk, for those that do not fit into memory."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import torch

from monai_unlearn.cache_folder import CacheFolder
from monai_unlearn.data.content_key import content_key
from monai_unlearn.data.image_store import ImageStore
from monai_unlearn.data.read_once import ReadOnceDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.data.pixel_digest import PixelCheck
    from monai_unlearn.data.record_layout import RecordLayout
    from monai_unlearn.data.shared_images import SharedImages

# The stores of this process, by content and transform: references are trained on images that were decoded already.
_STORES: weakref.WeakValueDictionary[str, ImageStore] = weakref.WeakValueDictionary()


class OnDiskDataset(ReadOnceDataset):
    """Items in a file, each decoded when it is first needed, by this process or by one that loads batches.

    Within a process, a second data set of the same images and the same transform uses the file of the first.

    Args:
        items: Items as `CohortData.items` returns them, not empty.
        transform: Deterministic preprocessing of an item.
        layout: The layout of what it makes of any item.
        description: Text of the progress bar.
        pixels: As in `ReadOnceDataset`.
        cache_dir: The folder to make the file's own folder in; by default the system's for temporary files.
        shared: As in `ReadOnceDataset`.

    Raises:
        ConfigError: The folder cannot be made there, or its disk has no room.
    """

    def __init__(
        self,
        items: Sequence[Mapping[str, Any]],
        transform: Callable[[Any], Any],
        *,
        layout: RecordLayout,
        description: str = "Reading images",
        pixels: PixelCheck | None = None,
        cache_dir: Path | None = None,
        shared: SharedImages | None = None,
    ) -> None:
        super().__init__(items, transform, description=description, pixels=pixels, shared=shared)
        self._layout = layout
        key = content_key(items, transform, pixels)
        found = None if key is None else _STORES.get(key)
        self._store = found or ImageStore(CacheFolder(cache_dir), count=len(items), size=layout.size)
        if key is not None:
            _STORES[key] = self._store

    def keep(self, row: int, item: Any) -> None:  # noqa: ANN401 - an item is what the transform makes of it
        """Write the transformed item of a row.

        Raises:
            DataError: It has another shape or type than the first item.
            ConfigError: The disk is full.
        """
        self._store.write(row, self._layout.encode(self._items[row], item))

    def batch(self, rows: Sequence[int]) -> dict[str, Any]:
        """Return the items of some rows as MONAI's `list_data_collate` puts them together, each read in its place.

        Args:
            rows: At least one.

        Raises:
            DataError: An image cannot be read.
        """
        if missing := self._store.missing(rows):
            self.read(missing)
        size = self._layout.size
        records = torch.empty(len(rows), size, dtype=torch.uint8)
        view = records.view(-1).numpy().data
        for place, row in enumerate(rows):
            self._store.read_into(row, view[place * size : (place + 1) * size])
        return self._layout.decode_batch([self._items[row] for row in rows], records)

    def holds(self, row: int) -> bool:
        """Return whether the item of a row is on disk."""
        return self._store.has(row)

    @property
    def folder(self) -> Path:
        """The folder of the file, which is removed at the end."""
        return self._store.folder.path

    def _has(self, row: int) -> bool:
        return self._store.has(row)

    def _kept(self, row: int) -> Any:  # noqa: ANN401 - as above
        return self._layout.decode(self._items[row], self._store.read(row))


def is_on_disk(
    items: Sequence[Mapping[str, Any]], transform: Callable[[Any], Any], pixels: PixelCheck | None = None
) -> bool:
    """Return whether this process holds these images on disk already."""
    key = content_key(items, transform, pixels)
    return key is not None and key in _STORES
