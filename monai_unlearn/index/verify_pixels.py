"""Compares the images of an index with it: size and time of each file, and the digest of its pixels."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.readers.pixel_digest import pixel_digests
from monai_unlearn.index.store.check_files import remedy
from monai_unlearn.index.store.schema import PIXEL_DIGEST
from monai_unlearn.index.usable import usable_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from monai_unlearn.index.store.store import Index

_READ = ("image_id", "path", "file_size", "file_mtime_ns", PIXEL_DIGEST)
_FILES_A_STEP = 1024


@dataclass(frozen=True)
class BadImage:
    """An image whose file is not the one that was indexed.

    Attributes:
        image_id: Its identifier; the path, which may hold a patient's name, is in the index.
        problem: `missing`, `pixels`, or `size_or_time`, where the pixels are those that were indexed.
    """

    image_id: str
    problem: str


@dataclass(frozen=True)
class PixelVerification:
    """What `verify_pixels` found.

    Attributes:
        images: How many images were compared.
        without: How many of them have no digest, because their pixels could not be read when they were indexed.
        hashed: The bytes of their files.
        seconds: What that took.
        bad: Those whose files are not the ones that were indexed.
    """

    images: int
    without: int
    hashed: int
    seconds: float
    bad: tuple[BadImage, ...]

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return {
            "images": self.images,
            "without_digest": self.without,
            "bytes_hashed": self.hashed,
            "seconds": round(self.seconds, 4),
            "bad": [vars(image) for image in self.bad],
        }


def verify_pixels(index: Index, *, progress: Callable[[int, int], None] = lambda *_: None) -> PixelVerification:
    """Compare every usable image of an index with its row.

    Args:
        index: An index that was built with `--pixel-digest`.
        progress: Called with the number of images that are done, and of all.

    Raises:
        IndexReadError: The index has no digests of pixels.
    """
    if PIXEL_DIGEST not in index.columns:
        raise IndexReadError(
            f"{index.directory}: expected the column {PIXEL_DIGEST}, found none: the index does not know the pixels. "
            f"{remedy(index.directory)} --pixel-digest"
        )
    started, done, without, hashed = time.perf_counter(), 0, 0, 0
    bad: list[BadImage] = []
    for rows in _rows(index):
        sizes = [_size(row) for row in rows]
        digests = pixel_digests(Path(row["path"]) for row in rows)
        for row, size, digest in zip(rows, sizes, digests, strict=True):
            if problem := _problem(row, size, digest):
                bad.append(BadImage(row["image_id"], problem))
        done += len(rows)
        without += sum(row[PIXEL_DIGEST] is None for row in rows)
        hashed += sum(size[0] for size in sizes if size)
        progress(done, index.images)
    return PixelVerification(done, without, hashed, time.perf_counter() - started, tuple(bad))


def _rows(index: Index) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield the usable images that have a file, some at a time."""
    for part in index.parts:
        table = pq.read_table(part, columns=[*_READ, "fault"])
        table = table.filter(pc.and_(usable_array(table["fault"]), pc.is_valid(table["path"])))
        for start in range(0, table.num_rows, _FILES_A_STEP):
            yield table.slice(start, _FILES_A_STEP).to_pylist()


def _size(row: Mapping[str, Any]) -> tuple[int, int] | None:
    try:
        stat = Path(row["path"]).stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _problem(row: Mapping[str, Any], found: tuple[int, int] | None, digest: str | None) -> str | None:
    if found is None:
        return "missing"
    if row[PIXEL_DIGEST] not in {None, digest}:
        return "pixels"
    stated = (row["file_size"], row["file_mtime_ns"])
    return "size_or_time" if any(known not in {None, now} for known, now in zip(stated, found, strict=True)) else None
