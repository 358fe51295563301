"""Whether the files of images are those that were indexed: their size and time, and the digest of their pixels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from rich.progress import track

from monai_unlearn.errors import DataError
from monai_unlearn.index import usable_mask
from monai_unlearn.index.fetch.bind import fetched_of
from monai_unlearn.index.readers.pixel_digest import pixel_digests
from monai_unlearn.index.store.schema import PIXEL_DIGEST
from monai_unlearn.terminal import escaping_console

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from monai_unlearn.index import Index
    from monai_unlearn.index.fetch.manifest import Fetched
    from monai_unlearn.index.fetch.on_demand import OnDemand

_EXAMPLES = 3
_FILES_A_STEP = 256


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
        on_demand: Brings images that are not there yet; null where all are.

    Example:
        >>> _ = Path("eye.png").write_bytes(b"pixels")
        >>> check = PixelCheck(pd.DataFrame({"file_size": [6]}, index=["eye"]))
        >>> check.check([{"image_id": "eye", "image": "eye.png"}])
        >>> check.seen["eye"].digest[:14]
        'sha256:6ec9c2b'
    """

    # MONAI's loaders look for random transforms in all attributes of a data set, those of a data frame too, which may
    # refer to itself. They do not look into slots.
    __slots__ = ("_fetched", "_indexed", "_on_demand", "seen")

    def __init__(self, indexed: pd.DataFrame | None = None, *, on_demand: OnDemand | None = None) -> None:
        # As objects: a float, which pandas makes of numbers beside a missing one, cannot hold nanoseconds.
        self._indexed = (pd.DataFrame() if indexed is None else indexed).astype(object)
        self.seen: dict[str, Seen] = {}
        self._on_demand = on_demand
        # What images were when they were fetched: of these, the rows of the index say nothing.
        self._fetched: dict[str, Fetched] = {} if on_demand is None else on_demand.known()

    @classmethod
    def of(cls, index: Index) -> PixelCheck:
        """Take what an index knows of its files."""
        columns = [name for name in ("file_size", "file_mtime_ns", PIXEL_DIGEST) if name in index.columns]
        frame = index.frame(["image_id", "fault", *columns])
        return cls(frame[usable_mask(frame)].set_index("image_id")[columns], on_demand=_on_demand(index))

    def check(self, items: Iterable[Mapping[str, Any]], *, bring: bool = True) -> None:
        """Look at the files of images that were not looked at before; those that do not exist are left to the reader.

        Args:
            items: Items with `image_id` and `image`, the path.
            bring: Whether images that are fetched on demand are fetched now, rather than when they are read.

        Raises:
            DataError: Files have another size or time than their rows of the index, or other pixels.
            ArchiveError: An image cannot be fetched.
        """
        items = list(items)
        if bring:
            self._bring(items)
        fresh = [item for item in items if str(item["image_id"]) not in self.seen and item["image"] is not None]
        console = escaping_console(stderr=True)
        starts = range(0, len(fresh), _FILES_A_STEP)
        bar = track(starts, "Comparing images", console=console, disable=not console.is_terminal, transient=True)
        found = [fault for start in bar for fault in self._look(fresh[start : start + _FILES_A_STEP])]
        if found:
            raise DataError(_message(found, len(fresh)))

    def provide(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Fetch those of some images that are fetched on demand, before they are read; the others are as they are.

        Raises:
            DataError: A file is not the one that was fetched.
            ArchiveError: An image cannot be fetched.
        """
        if self._on_demand is None:
            return
        fresh = [item for item in items if str(item["image_id"]) not in self.seen]
        if fresh:
            self.check(fresh)

    def _bring(self, items: Sequence[Mapping[str, Any]]) -> None:
        absent = [
            str(item["image_id"])
            for item in items
            if self._on_demand is not None
            and str(item["image_id"]) not in self.seen
            and item["image"] is not None
            and not (str(item["image_id"]) in self._fetched and Path(item["image"]).is_file())
        ]
        if self._on_demand is not None and absent:
            console = escaping_console(stderr=True)
            is_shown = console.is_terminal
            self._fetched |= self._on_demand.bring(
                absent, track=lambda wanted: track(wanted, "Fetching images", console=console, disable=not is_shown)
            )

    def _look(self, items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        """Look at some files; yield the image of each that is another, and what tells it from the one indexed."""
        stamps = [_stamps(Path(item["image"])) for item in items]
        there = [(item, *stamp) for item, stamp in zip(items, stamps, strict=True) if stamp is not None]
        digests = pixel_digests(Path(item["image"]) for item, *_ in there)
        rows = self._rows([item for item, *_ in there])
        for (item, size, modified), digest, expected in zip(there, digests, rows, strict=True):
            seen = Seen(digest, size, modified)
            if fault := _fault(seen, expected):
                yield str(item["image_id"]), fault
            else:
                self.seen[str(item["image_id"])] = seen

    def _rows(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return what the index knows of each image's file; null where it knows nothing."""
        rows = self._indexed.reindex([str(item["image_id"]) for item in items])
        names = list(rows.columns)
        known = [[None if pd.isna(value) else value for value in values] for values in rows.to_numpy()]
        found = [dict(zip(names, values, strict=True)) for values in known]
        return [{**row, **self._when_fetched(item)} for row, item in zip(found, items, strict=True)]

    def _when_fetched(self, item: Mapping[str, Any]) -> dict[str, Any]:
        one = self._fetched.get(str(item["image_id"]))
        if one is None:
            return {}
        return {"file_size": one.size, "file_mtime_ns": one.mtime_ns, PIXEL_DIGEST: one.pixel_digest}


def _on_demand(index: Index) -> OnDemand | None:
    """Return what brings the images of an index that are fetched when they are first used; null where all are there."""
    if fetched_of(index.directory).get("on_demand") is None:
        return None
    from monai_unlearn.index.fetch.on_demand import OnDemand  # clients of archives, which are an extra

    return OnDemand.of(index)


def _stamps(path: Path) -> tuple[int, int] | None:
    """Return size and time of a file; null where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _fault(seen: Seen, expected: Mapping[str, Any]) -> str | None:
    """Return what tells a file from the one that was indexed."""
    stamps = {"file_size": seen.size, "file_mtime_ns": seen.modified}
    if any(expected.get(name) not in {None, stamp} for name, stamp in stamps.items()):
        return "another size or time"
    if expected.get(PIXEL_DIGEST) not in {None, seen.digest}:
        return "other pixels"
    return None


def examples(images: Sequence[str]) -> str:
    """Name some images by their identifiers, since paths may hold names of patients, and say where the paths are."""
    more = len(images) - _EXAMPLES
    named = ", ".join(images[:_EXAMPLES]) + (f" and {more} more" if more > 0 else "")
    return f"{named} (their paths are in the index, in the column path)"


def _message(found: Sequence[tuple[str, str]], total: int) -> str:
    kinds = Counter(kind for _, kind in found)
    told = ", ".join(f"{count} have {kind}" for kind, count in sorted(kinds.items()))
    images = examples([image for image, _ in found])
    return (
        f"{len(found)} of {total} images are not the files that were indexed: {told}; {images}. "
        "Restore the files; or, if they are meant to be others, run `monai-unlearn index build` again."
    )
