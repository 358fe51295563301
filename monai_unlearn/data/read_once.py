"""Data sets that decode and preprocess each image once, at the start or when it is first needed."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import monai.data
from rich.progress import track
from torch.utils.data import Dataset, Subset

from monai_unlearn.data.content_key import content_key
from monai_unlearn.data.pixel_digest import PixelCheck, examples
from monai_unlearn.errors import DataError
from monai_unlearn.terminal import escaping_console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from monai_unlearn.data.shared_images import SharedImages


class ReadOnceDataset(Dataset[Any], ABC):
    """Items that are transformed once, however often they are read.

    Subclasses say where the results are kept.

    Args:
        items: Items as `CohortData.items` returns them.
        transform: Deterministic preprocessing of an item.
        description: Text of the progress bar.
        pixels: What the files were when they were compared with the index; they must still be so when they are read.
        shared: What other runs of an experiment decoded already, if it shares that.
    """

    def __init__(
        self,
        items: Sequence[Any],
        transform: Callable[[Any], Any],
        *,
        description: str = "Reading images",
        pixels: PixelCheck | None = None,
        shared: SharedImages | None = None,
    ) -> None:
        self._items = items
        self._transform = transform
        self._shared = shared
        self._description = description
        self._pixels = pixels
        self._key: str | None = None

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, row: int) -> Any:  # noqa: ANN401 - an item is what the transform makes of it
        place = range(len(self))[row]
        if not self._has(place):
            self.keep(place, self._transformed(place))
        return self._kept(place)

    @property
    def key(self) -> str | None:
        """A digest of what the items are, as `content_key` returns it; null where that cannot be told."""
        if self._key is None and self._transform is not None:
            self._key = content_key(self._items, self._transform, self._pixels)
        return self._key

    def read(self, rows: Iterable[int] | None = None) -> None:
        """Read the items of some rows that were not read before, or all, with a progress bar on stderr.

        Raises:
            DataError: An image cannot be read, or its file changed since it was compared with the index.
        """
        wanted = range(len(self)) if rows is None else sorted(set(rows))
        unread = [row for row in wanted if not self._has(row)]
        if not unread:  # a batch that is drawn: a console takes longer than to read it
            return
        if self._pixels is not None:
            self._pixels.provide([self._items[row] for row in unread])
        console = escaping_console(stderr=True)
        for row in track(unread, self._description, console=console, disable=not console.is_terminal, transient=True):
            self.keep(row, self._transformed(row))

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: where all is read, no transform, which may not be picklable."""
        is_read = all(self._has(row) for row in range(len(self)))
        return {**vars(self), **({"_transform": None, "_pixels": None, "_shared": None} if is_read else {})}

    @abstractmethod
    def keep(self, row: int, item: Any) -> None:  # noqa: ANN401 - as above
        """Keep the transformed item of a row."""

    @abstractmethod
    def _has(self, row: int) -> bool:
        """Return whether the item of a row is kept."""

    @abstractmethod
    def _kept(self, row: int) -> Any:  # noqa: ANN401 - as above
        """Return the item of a row that is kept."""

    def _transformed(self, row: int) -> Any:  # noqa: ANN401 - as above
        if self._pixels is not None:
            self._pixels.provide([self._items[row]])
            check_still(self._items[row], self._pixels)
        return (self._transform if self._shared is None else self._shared.transformed)(self._items[row])


class InMemoryDataset(ReadOnceDataset):
    """Items held in memory, all read at the start unless `lazy`.

    This replaces MONAI's `CacheDataset`: where an image cannot be read, its threads keep running and can crash the
    process before the error message is printed.

    Args:
        items: Items as `CohortData.items` returns them.
        transform: Deterministic preprocessing of an item.
        description: Text of the progress bar.
        pixels: As in `ReadOnceDataset`.
        lazy: Read each item when it is first needed.
        shared: As in `ReadOnceDataset`.
    """

    def __init__(
        self,
        items: Sequence[Any],
        transform: Callable[[Any], Any],
        *,
        description: str = "Reading images",
        pixels: PixelCheck | None = None,
        lazy: bool = False,
        shared: SharedImages | None = None,
    ) -> None:
        super().__init__(items, transform, description=description, pixels=pixels, shared=shared)
        self._results: dict[int, Any] = {}
        if not lazy:
            self.read()

    def keep(self, row: int, item: Any) -> None:  # noqa: ANN401 - as above
        """Keep the transformed item of a row."""
        self._results[row] = item

    def _has(self, row: int) -> bool:
        return row in self._results

    def _kept(self, row: int) -> Any:  # noqa: ANN401 - as above
        return self._results[row]


def read_rows(images: Dataset[Any], rows: Iterable[int] | None = None) -> None:
    """Read rows of a data set, or all, where it reads each once; also where MONAI's `Dataset` augments such a one.

    Of torch's `Subset` of one, the rows are those within the subset.

    Raises:
        DataError: As `ReadOnceDataset.read`.
    """
    while isinstance(images, (monai.data.Dataset, Subset)):
        if isinstance(images, Subset):
            rows = images.indices if rows is None else [images.indices[row] for row in rows]
            images = images.dataset
        else:
            images = images.data
    if isinstance(images, ReadOnceDataset):
        images.read(rows)


def key_of(images: Dataset[Any]) -> str | None:
    """Return a digest of what the items of a data set are, in order; None where that cannot be told.

    Args:
        images: A `ReadOnceDataset`, or torch's `Subset` of one; of others, nothing is known.
    """
    if isinstance(images, Subset):
        base = key_of(images.dataset)
        rows = " ".join(map(str, map(int, images.indices)))
        return None if base is None else hashlib.sha256(f"{base} {rows}".encode()).hexdigest()
    return images.key if isinstance(images, ReadOnceDataset) else None


def check_still(item: Any, pixels: PixelCheck) -> None:  # noqa: ANN401 - an item of any config
    """Refuse a file that has another size or time than when it was compared with the index.

    Raises:
        DataError: It has; the message names the image by its identifier.
    """
    seen = pixels.seen.get(str(item["image_id"]))
    stat = Path(item["image"]).stat() if seen is not None else None
    if seen is not None and stat is not None and (stat.st_size, stat.st_mtime_ns) != (seen.size, seen.modified):
        raise DataError(
            f"a file changed while the run was using it: {examples([str(item['image_id'])])}. "
            "Restore the file; or, if it is meant to be another, run `monai-unlearn index build` again."
        )
