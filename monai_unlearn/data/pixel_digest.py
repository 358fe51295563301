"""Whether the files of images are those that were indexed: their size and time, and the digest of their pixels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from rich.console import Console
from rich.progress import track

from monai_unlearn.errors import DataError
from monai_unlearn.index import usable_mask
from monai_unlearn.index.readers.pixel_digest import pixel_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monai_unlearn.index import Index

# The column of an index that `index build --pixel-digest` wrote.
PIXEL_DIGEST = "pixel_digest"
_STAMPS = ("file_size", "file_mtime_ns")
_EXAMPLES = 3


class Seen(NamedTuple):
    """What an image file was when it was first loaded.

    Attributes:
        digest: `sha256:…` of its pixels; null where none can be taken.
        size: In bytes.
        modified: When it was modified, in ns since 1970.
    """

    digest: str | None
    size: int
    modified: int


class PixelCheck:
    """Compares image files with their rows of the index, once each, and keeps the digests of their pixels.

    Args:
        indexed: The rows of the images, by `image_id`: `file_size`, `file_mtime_ns` and, where the index has it,
            `pixel_digest`. What is null or not there is not compared.

    Example:
        >>> _ = Path("eye.png").write_bytes(b"pixels")
        >>> check = PixelCheck(pd.DataFrame({"file_size": [6]}, index=["eye"]))
        >>> check.check([{"image_id": "eye", "image": "eye.png"}])
        >>> check.seen["eye"].digest[:14]
        'sha256:6ec9c2b'
    """

    def __init__(self, indexed: pd.DataFrame | None = None) -> None:
        # As objects: a float, which pandas makes of numbers beside a missing one, cannot hold nanoseconds.
        self._indexed = (pd.DataFrame() if indexed is None else indexed).astype(object)
        self.seen: dict[str, Seen] = {}

    @classmethod
    def of(cls, index: Index) -> PixelCheck:
        """Take what an index knows of its files."""
        columns = [name for name in (*_STAMPS, PIXEL_DIGEST) if name in index.columns]
        frame = index.frame(["image_id", "fault", *columns])
        return cls(frame[usable_mask(frame)].set_index("image_id")[columns])

    def check(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Look at the files of images that were not looked at before; those that do not exist are left to the reader.

        Args:
            items: Items with `image_id` and `image`, the path.

        Raises:
            DataError: Files have another size or time than their rows of the index, or other pixels.
        """
        fresh = [item for item in items if str(item["image_id"]) not in self.seen and item["image"] is not None]
        pairs = list(zip(fresh, self._rows(fresh), strict=True))
        console = Console(stderr=True)
        bar = track(pairs, "Comparing images", console=console, disable=not console.is_terminal, transient=True)
        found = {str(item["image"]): fault for item, row in bar if (fault := self._look(item, row))}
        if found:
            raise DataError(_message(found, len(fresh)))

    def _rows(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return what the index knows of each image's file; null where it knows nothing."""
        rows = self._indexed.reindex([str(item["image_id"]) for item in items])
        names = list(rows.columns)
        return [dict(zip(names, values, strict=True)) for values in rows.where(rows.notna(), None).to_numpy()]

    def _look(self, item: Mapping[str, Any], expected: Mapping[str, Any]) -> str | None:
        """Look at one file; return what is wrong with it."""
        path = Path(item["image"])
        try:
            stat = path.stat()
            stamps = dict(zip(_STAMPS, (stat.st_size, stat.st_mtime_ns), strict=True))
            if any(expected.get(name) not in {None, stamp} for name, stamp in stamps.items()):
                return "another size or time"
            digest = pixel_digest(path)
        except OSError:
            return None
        if expected.get(PIXEL_DIGEST) not in {None, digest}:
            return "other pixels"
        self.seen[str(item["image_id"])] = Seen(digest, stat.st_size, stat.st_mtime_ns)
        return None


def examples(paths: Sequence[str]) -> str:
    """Return some of the paths, and how many more there are."""
    more = len(paths) - _EXAMPLES
    return ", ".join(paths[:_EXAMPLES]) + (f" and {more} more" if more > 0 else "")


def _message(found: Mapping[str, str], images: int) -> str:
    kinds = ", ".join(f"{count} have {kind}" for kind, count in sorted(Counter(found.values()).items()))
    return (
        f"{len(found)} of {images} images are not the files that were indexed: {kinds}; {examples(list(found))}. "
        "Restore the files; or, if they are meant to be others, run `monai-unlearn index build` again."
    )
