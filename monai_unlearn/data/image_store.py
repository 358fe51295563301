"""Records of one length in a file, written once each by any process and read by all."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.cache_folder import CacheFolder

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class ImageStore:
    """The decoded images of one data set, in a `CacheFolder`.

    Records are read, not mapped: pages of a mapped file count as memory of each process that touched them, so that it
    would seem to grow with the archive. What was read lately stays in the system's cache, which gives way when memory
    is needed.

    A row is marked only after it is written, so that a process never reads half a record of another.

    Args:
        folder: Where the files are; removed once nothing refers to it.
        count: The number of rows.
        size: The length of a record, in bytes.

    Raises:
        ConfigError: The disk has no room for all rows.
    """

    def __init__(self, folder: CacheFolder, *, count: int, size: int) -> None:
        self.folder = folder
        self.count, self.size = count, size
        if count * size > folder.free:
            raise self._full()
        self._open(os.O_CREAT | os.O_EXCL)
        os.ftruncate(self._marks, count)

    def has(self, row: int) -> bool:
        """Return whether a row is written, by this process or another."""
        if not self._known[row]:
            self._known[row] = os.pread(self._marks, 1, row) == b"\1"
        return bool(self._known[row])

    def missing(self, rows: Sequence[int]) -> list[int]:
        """Return those of some rows that are not written yet."""
        known = self._known
        return [row for row in rows if not (known[row] or self.has(row))]

    def write(self, row: int, record: bytes) -> None:
        """Write a row.

        Raises:
            ConfigError: The disk is full.
        """
        view, start = memoryview(record), row * self.size
        try:
            while view:
                written = os.pwrite(self._records, view, start)
                view, start = view[written:], start + written
            os.pwrite(self._marks, b"\1", row)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise self._full() from error
        self._known[row] = 1

    def read(self, row: int) -> bytearray:
        """Return the record of a row that is written."""
        record = bytearray(self.size)
        self.read_into(row, memoryview(record))
        return record

    def read_into(self, row: int, view: memoryview) -> None:
        """Fill memory of the length of a record with a row that is written."""
        start = row * self.size
        # Nearly always a record comes whole; of a batch, each line here is run for each image.
        if os.preadv(self._records, [view], start) == self.size:
            return
        while view:
            count = os.preadv(self._records, [view], start)
            if not count:
                raise AssertionError("a marked row is written")
            view, start = view[count:], start + count

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "count": self.count, "size": self.size}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open(0)

    def __del__(self) -> None:
        for descriptor in (getattr(self, "_records", None), getattr(self, "_marks", None)):
            if descriptor is not None:
                os.close(descriptor)

    def _open(self, flags: int) -> None:
        self._known = bytearray(self.count)
        self._records = os.open(self.folder.path / "records", os.O_RDWR | flags, 0o600)
        self._marks = os.open(self.folder.path / "marks", os.O_RDWR | flags, 0o600)

    def _full(self) -> ConfigError:
        needed = self.count * self.size
        return ConfigError(
            f"cache_dir: the decoded images need {needed / 1e9:,.2f} GB in {self.folder.path.parent}, and its disk has "
            "no room for them. Free some space, or choose another disk: --subsets::cache_dir FOLDER"
        )
