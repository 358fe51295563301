"""Which files a build looks at: the sources walked in order, each file once, however many there are."""

from __future__ import annotations

import heapq
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.faults import Fault, fault_of_os_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PICTURE_SUFFIXES = ("bmp", "dib", "jfif", "jpe", "jpeg", "jpg", "mpo", "png", "tif", "tiff")
_IMAGE_SUFFIXES = frozenset((*_PICTURE_SUFFIXES, "dcm", "dic", "dicom", "ima", "img", "nii"))
# What ends a file's name behind its stem; a gzipped NIfTI file has two.
SUFFIX = re.compile(r"(?<=.)(?:\.nii\.gz|\.[^.]*)$", re.IGNORECASE)
# Names without a suffix that are not images, by the standard (DICOMDIR: PS3.10 section 8.6) or by custom.
_NOT_IMAGES = frozenset(("CHANGES", "DICOMDIR", "INSTALL", "LICENSE", "LOCKFILE", "MAKEFILE", "README", "VERSION"))


class Listed(NamedTuple):  # and no dataclass: it is made once a file, and this takes a third of the time
    """A file to read.

    Attributes:
        path: Where it is: absolute, in POSIX form, as Unicode text.
        relative: The same from its source's folder on.
        size: Its size in bytes, where it could be looked at.
        mtime_ns: When it was last written, in nanoseconds since 1970, likewise.
        named: Whether the user named it, rather than a folder that holds it.
        fault: What is wrong with it already.
    """

    path: str
    relative: str
    size: int | None = None
    mtime_ns: int | None = None
    named: bool = False
    fault: Fault | None = None


@dataclass(frozen=True)
class Listing:
    """The files of a build, sorted by path; and how many entries are no files to read (sockets, pipes)."""

    files: tuple[Listed, ...]
    passed_over: int


@dataclass(frozen=True)
class _Skipped:
    """Files and folders that are left out, by where they are in the end."""

    names: frozenset[str]
    paths: frozenset[str]

    @classmethod
    def of(cls, given: Sequence[Path]) -> _Skipped:
        paths = frozenset(os.path.realpath(path) for path in given)
        return cls(frozenset(path.name for path in (*given, *map(Path, paths))), paths)

    def has(self, folder: str, name: str) -> bool:
        # Only a name that is left out is resolved: that costs a look at every folder above it.
        return name in self.names and os.path.realpath(Path(folder, name)) in self.paths


class Walk:
    """The files of the sources: named ones, and those of folders, walked without following their links.

    Hidden files and folders are skipped. A file that two sources reach is listed once, from the first. Iterating
    yields them sorted by path, and holds no more of them than one folder on each level has.

    Attributes:
        passed_over: How many entries were no files to read so far (sockets, pipes).

    Args:
        sources: Files and folders.
        leave_out: Files and folders that are not to be listed: tables, the index itself.

    Raises:
        IndexReadError: A source does not exist.
    """

    def __init__(self, sources: Sequence[Path], *, leave_out: Sequence[Path] = ()) -> None:
        for source in sources:
            if not source.exists():
                raise IndexReadError(f"{source}: expected a file or folder of images, but nothing is there.")
        # Not resolve(): where a link leads is not the name that its user gave.
        self._roots = [Path(os.path.normpath(source.absolute())) for source in sources]
        self._skipped = _Skipped.of(leave_out)
        self.passed_over = 0

    def __iter__(self) -> Iterator[Listed]:
        last = None
        # Of equal paths heapq.merge yields that of the first source first.
        for file in heapq.merge(*(self._files(root) for root in self._roots), key=_path_of):
            if file.path != last:
                last = file.path
                yield file

    def _files(self, root: Path) -> Iterator[Listed]:
        if not root.is_dir():
            found = (_look(root.as_posix(), root.name, is_named=True),)
            yield from (file for file in found if file is not None)
            return
        top = root.as_posix().rstrip("/")
        for path in _walk(top or "/", self._skipped):
            file = _look(path, path[len(top) + 1 :])
            if file is None:
                self.passed_over += 1
            else:
                yield file


def list_files(sources: Sequence[Path], *, leave_out: Sequence[Path] = ()) -> Listing:
    """List the files of the sources, as `Walk` yields them.

    Args:
        sources: Files and folders.
        leave_out: Files and folders that are not to be listed.

    Raises:
        IndexReadError: A source does not exist.
    """
    walk = Walk(sources, leave_out=leave_out)
    files = tuple(walk)
    return Listing(files, walk.passed_over)


def looks_like_image(path: str) -> bool:
    """Return whether a name is one that images have: an image's suffix, or none."""
    name = path.rpartition("/")[2].lower()
    name = name.removesuffix(".gz") if name.endswith(".nii.gz") else name
    suffix = name.rpartition(".")[2] if "." in name else ""
    # The last part of a UID (1.2.840.…) and a counter (IM.001) are no suffixes.
    if not suffix or suffix.isdecimal():
        return name.upper() not in _NOT_IMAGES
    return suffix in _IMAGE_SUFFIXES


def _path_of(file: Listed) -> str:
    return file.path


def _walk(folder: str, skipped: _Skipped) -> Iterator[str]:
    """Yield the files below a folder, sorted by path; a folder that may not be read is yielded itself."""
    pending = [folder]
    while pending:
        path = pending.pop()
        if not path.endswith("/") and path != folder:
            yield path
            continue
        path = path.rstrip("/")
        try:
            with os.scandir(path or "/") as entries:
                found = [name for entry in entries if (name := _name(entry, path or "/", skipped))]
        except OSError:
            yield path or "/"
            continue
        # Sorted with the slash behind a folder's name, in which order its files have their places among the others.
        found.sort(reverse=True)
        pending += [f"{path}/{name}" for name in found]


def _name(entry: os.DirEntry[str], folder: str, skipped: _Skipped) -> str | None:
    """Return the name of an entry, of a folder to walk with a slash behind it; nothing where it is left out."""
    if entry.name.startswith(".") or skipped.has(folder, entry.name):
        return None
    try:
        is_folder = entry.is_dir()
    except OSError:  # a link that leads back to itself
        return entry.name
    if not is_folder:
        return entry.name
    if entry.is_symlink():
        return None
    return f"{entry.name}/" if os.access(entry.path, os.R_OK | os.X_OK) else entry.name


def _look(path: str, relative: str, *, is_named: bool = False) -> Listed | None:
    """Return a file's entry, or nothing where it is neither a file nor a folder that may not be read."""
    if not path.isascii():
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
        if name != path:
            relative = os.fsencode(relative).decode("utf-8", "backslashreplace")
            return Listed(path=name, relative=relative, fault=Fault.PATH_NOT_UNICODE)
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path for each of a million files takes as long as looking at it
    except OSError as error:
        return Listed(path=path, relative=relative, fault=fault_of_os_error(error))
    if stat.S_ISDIR(status.st_mode):
        return Listed(path=path, relative=relative, fault=Fault.PERMISSION_DENIED)
    if not stat.S_ISREG(status.st_mode):
        return None
    return Listed(path=path, relative=relative, size=status.st_size, mtime_ns=status.st_mtime_ns, named=is_named)
