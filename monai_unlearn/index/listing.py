"""Which files a build reads: the sources, walked in order, each file once, in constant memory."""

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

_PLAIN_SUFFIXES = ("bmp", "dib", "jfif", "jpe", "jpeg", "jpg", "mpo", "png", "tif", "tiff")
_IMAGE_SUFFIXES = frozenset((*_PLAIN_SUFFIXES, "dcm", "dic", "dicom", "ima", "img", "nii"))
# The suffix of a file name; a gzipped NIfTI file has two.
SUFFIX = re.compile(r"(?<=.)(?:\.nii\.gz|\.[^.]*)$", re.IGNORECASE)
# Names without a suffix that are not images, by the standard (DICOMDIR: PS3.10 section 8.6) or by convention.
_NOT_IMAGES = frozenset(("CHANGES", "DICOMDIR", "INSTALL", "LICENSE", "LOCKFILE", "MAKEFILE", "README", "VERSION"))


class Listed(NamedTuple):  # not a dataclass: one is made for each file, and this takes a third of the time
    """A file to read.

    Attributes:
        path: Its absolute path, in POSIX form, as Unicode text.
        relative: Its path relative to its source.
        size: Its size in bytes; null if it could not be determined.
        mtime_ns: When it was last modified, in nanoseconds since 1970; also null if unknown.
        named: Whether the user named the file itself, rather than a folder that contains it.
        fault: A fault that is known before the file is opened.
    """

    path: str
    relative: str
    size: int | None = None
    mtime_ns: int | None = None
    named: bool = False
    fault: Fault | None = None


@dataclass(frozen=True)
class Listing:
    """The files of a build, sorted by path, and how many entries are not regular files (sockets, pipes)."""

    files: tuple[Listed, ...]
    skipped: int


@dataclass(frozen=True)
class _LeftOut:
    """Files and folders to leave out, with all links resolved."""

    names: frozenset[str]
    paths: frozenset[str]

    @classmethod
    def of(cls, given: Sequence[Path]) -> _LeftOut:
        paths = frozenset(os.path.realpath(path) for path in given)
        return cls(frozenset(path.name for path in (*given, *map(Path, paths))), paths)

    def has(self, folder: str, name: str) -> bool:
        # Resolve a path only if its name matches: resolving costs a stat of every folder above it.
        return name in self.names and os.path.realpath(Path(folder, name)) in self.paths


class Walk:
    """The files of the sources: named files, and the files of folders, which are walked without following links.

    Hidden files and folders are skipped. A file that two sources contain is listed once, for the first of them.
    Iteration yields the files sorted by path, and keeps in memory the entries of one folder on each level.

    Attributes:
        skipped: How many entries so far were not regular files (sockets, pipes).

    Args:
        sources: Files and folders.
        leave_out: Files and folders not to list: tables, the index itself.

    Raises:
        IndexReadError: A source does not exist.
    """

    def __init__(self, sources: Sequence[Path], *, leave_out: Sequence[Path] = ()) -> None:
        for source in sources:
            if not source.exists():
                raise IndexReadError(f"{source}: expected a file or folder of images, but nothing is there.")
        # Not resolve(): the user's own name of a linked folder is kept.
        self._roots = [Path(os.path.normpath(source.absolute())) for source in sources]
        self._left_out = _LeftOut.of(leave_out)
        self.skipped = 0

    def __iter__(self) -> Iterator[Listed]:
        if len(self._roots) == 1:
            yield from self._files(self._roots[0])
            return
        last = None
        # heapq.merge is stable: of equal paths, the one from the first source comes first.
        for file in heapq.merge(*(self._files(root) for root in self._roots), key=_path_of):
            if file.path != last:
                last = file.path
                yield file

    def _files(self, root: Path) -> Iterator[Listed]:
        if not root.is_dir():
            found = (_stat(root.as_posix(), root.name, is_named=True),)
            yield from (file for file in found if file is not None)
            return
        top = root.as_posix().rstrip("/")
        for path in _walk(top or "/", self._left_out):
            file = _stat(path, path[len(top) + 1 :])
            if file is None:
                self.skipped += 1
            else:
                yield file


def list_files(sources: Sequence[Path], *, leave_out: Sequence[Path] = ()) -> Listing:
    """List the files of the sources, as `Walk` yields them.

    Args:
        sources: Files and folders.
        leave_out: Files and folders not to list.

    Raises:
        IndexReadError: A source does not exist.
    """
    walk = Walk(sources, leave_out=leave_out)
    files = tuple(walk)
    return Listing(files, walk.skipped)


def looks_like_image(path: str) -> bool:
    """Return whether a file name suggests an image: it has an image suffix, or none."""
    name = path.rpartition("/")[2].lower()
    name = name.removesuffix(".gz") if name.endswith(".nii.gz") else name
    suffix = name.rpartition(".")[2] if "." in name else ""
    # The last part of a UID (1.2.840.…) or a counter (IM.001) is not a suffix.
    if not suffix or suffix.isdecimal():
        return name.upper() not in _NOT_IMAGES
    return suffix in _IMAGE_SUFFIXES


def _path_of(file: Listed) -> str:
    return file.path


def _walk(folder: str, left_out: _LeftOut) -> Iterator[str]:
    """Yield the files below a folder, sorted by path. An unreadable folder is itself yielded."""
    pending = [folder]
    while pending:
        path = pending.pop()
        if not path.endswith("/") and path != folder:
            yield path
            continue
        path = path.rstrip("/")
        try:
            with os.scandir(path or "/") as entries:
                found = [name for entry in entries if (name := _name(entry, path or "/", left_out))]
        except OSError:
            yield path or "/"
            continue
        # Folder names end with a slash here, so that sorting them gives the order of the files below them.
        found.sort(reverse=True)
        pending += [f"{path}/{name}" for name in found]


def _name(entry: os.DirEntry[str], folder: str, left_out: _LeftOut) -> str | None:
    """Return the name of an entry, with a slash after a folder to walk; null if the entry is left out."""
    if entry.name.startswith(".") or left_out.has(folder, entry.name):
        return None
    try:
        is_folder = entry.is_dir()
    except OSError:  # a link that points back to itself
        return entry.name
    if not is_folder:
        return entry.name
    if entry.is_symlink():
        return None
    return f"{entry.name}/" if os.access(entry.path, os.R_OK | os.X_OK) else entry.name


def _stat(path: str, relative: str, *, is_named: bool = False) -> Listed | None:
    """Return the entry of a file or an unreadable folder; null for anything else."""
    if not path.isascii():
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
        if name != path:
            relative = os.fsencode(relative).decode("utf-8", "backslashreplace")
            return Listed(path=name, relative=relative, fault=Fault.PATH_NOT_UNICODE)
    try:
        status = os.stat(path)  # noqa: PTH116 - creating a Path takes as long as the stat itself
    except OSError as error:
        return Listed(path=path, relative=relative, fault=fault_of_os_error(error))
    if stat.S_ISREG(status.st_mode):
        return Listed(path, relative, status.st_size, status.st_mtime_ns, is_named)
    return Listed(path=path, relative=relative, fault=Fault.PERMISSION_DENIED) if stat.S_ISDIR(status.st_mode) else None
