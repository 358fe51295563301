"""Reads the files of a folder that anybody may write to: bounded, and nothing but plain files.

The folder is opened once, and files in it by their names, so that no link leads elsewhere. What is acted on is the
content that was read, never the file again.
"""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 16 * 1024**2
"""The largest file that is read; lists of values have the same bound."""
MAX_ENTRIES = 100_000
"""How many names are looked at."""
SETTLED_SECONDS = 2.0
"""A file that was changed within so many seconds may still be written."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Neither waits for a writer of a FIFO nor follows a link, and no process that is started inherits it.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class Unreadable(Exception):  # noqa: N818 - a finding about a file of others, which a reason file names
    """A file is not one that is read; the message says why, in the form `it is …`."""


class Unsettled(Exception):  # noqa: N818 - as above
    """A file is being written: it is looked at again later."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A file of the folder, as it was read.

    Attributes:
        name: Its name; it may name a patient.
        content: What it holds.
        owner: The number of the user it belongs to.
        others_write: Whether its group or others may write to it, or rename it, which makes a request of a list.
    """

    name: str
    content: bytes
    owner: int
    others_write: bool


class Mailbox:
    """An open folder; `opened` makes one.

    Args:
        descriptor: Its file descriptor.
        listed: What was found in it by name, at most `MAX_ENTRIES`.
        is_whole: Whether that is all.
    """

    def __init__(self, descriptor: int, listed: dict[str, os.stat_result], *, is_whole: bool) -> None:
        self._descriptor = descriptor
        self.listed = listed
        self.is_whole = is_whole

    def names(self, *, owners: frozenset[int]) -> list[str]:
        """Return the names, without hidden files: those of some owners first, then by time."""
        found = [name for name in self.listed if not name.startswith(".")]
        return sorted(found, key=lambda name: (self.listed[name].st_uid not in owners, self._time(name), name))

    def read(self, name: str, *, max_bytes: int = MAX_BYTES) -> Letter:
        """Read a file.

        Raises:
            Unreadable: It is no plain file, is too large, or has a name that is not read.
            Unsettled: It changes while it is read, or is gone.
        """
        if not _NAME.fullmatch(name):
            raise Unreadable("its name has other characters than letters, digits, '.', '_' and '-', or is too long")
        before = self.listed.get(name)
        if before is None:
            raise Unsettled
        _check_plain(before, max_bytes)
        try:
            descriptor = os.open(name, _FLAGS, dir_fd=self._descriptor)
        except FileNotFoundError:
            raise Unsettled from None
        except OSError as error:
            raise Unreadable(f"it cannot be opened ({error.strerror})") from None
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor
            opened = os.fstat(descriptor)
            _check_plain(opened, max_bytes)
            content = stream.read(max_bytes + 1)
            is_same = _mark(before) == _mark(opened) == _mark(os.fstat(descriptor))
            if not is_same or len(content) != opened.st_size:
                raise Unsettled
        folder = os.fstat(self._descriptor).st_mode
        # In a folder with the sticky bit, only the owner of a file may rename it.
        others = bool(opened.st_mode & _OTHERS_WRITE or (folder & _OTHERS_WRITE and not folder & stat.S_ISVTX))
        return Letter(name=name, content=content, owner=opened.st_uid, others_write=others)

    def mark(self, name: str) -> tuple[int, ...] | None:
        """Return what tells a file from a later one of its name, without reading it; None where there is none."""
        found = self.listed.get(name)
        return None if found is None else _mark(found)

    def _time(self, name: str) -> int:
        return self.listed[name].st_mtime_ns


@contextmanager
def opened(folder: Path, *, settle: float = SETTLED_SECONDS) -> Iterator[Mailbox]:
    """Open a folder and list it; where something was written just now, wait, so that writers come to an end.

    Args:
        folder: The folder.
        settle: How many seconds a file must have been left alone; a file that changes meanwhile is `Unsettled`.

    Raises:
        InputError: There is no such folder.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise InputError(f"--inbox {folder}: expected a folder ({error.strerror}). Make it, or give another.") from None
    try:
        listed, is_whole = _listed(descriptor)
        ages = [time.time() - found.st_mtime for found in listed.values()]
        if young := [age for age in ages if 0 <= age < settle]:
            time.sleep(settle - min(young))
        yield Mailbox(descriptor, listed, is_whole=is_whole)
    finally:
        os.close(descriptor)


def _listed(descriptor: int) -> tuple[dict[str, os.stat_result], bool]:
    listed: dict[str, os.stat_result] = {}
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if len(listed) >= MAX_ENTRIES:
                return listed, False
            try:
                listed[entry.name] = os.stat(entry.name, dir_fd=descriptor, follow_symlinks=False)
            except OSError:  # gone meanwhile
                continue
    return listed, True


def _check_plain(found: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(f"it is {_kind(found.st_mode)}, no plain file")
    if found.st_nlink != 1:
        raise Unreadable("it has several names (hard links), so that it may be somebody else's file")
    if found.st_size > max_bytes:
        raise Unreadable(f"it is larger than {max_bytes // 1024**2} MiB")


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _mark(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_uid
