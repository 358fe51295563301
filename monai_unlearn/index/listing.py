"""Which files a build looks at: the sources walked in order, each file once."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PICTURE_SUFFIXES = ("bmp", "dib", "jfif", "jpe", "jpeg", "jpg", "mpo", "png", "tif", "tiff")
_IMAGE_SUFFIXES = frozenset((*_PICTURE_SUFFIXES, "dcm", "dic", "dicom", "ima", "img", "nii"))
# What ends a file's name behind its stem; a gzipped NIfTI file has two.
SUFFIX = re.compile(r"(?<=.)(?:\.nii\.gz|\.[^.]*)$", re.IGNORECASE)
# Names without a suffix that are not images, by the standard (DICOMDIR: PS3.10 section 8.6) or by custom.
_NOT_IMAGES = frozenset(("CHANGES", "DICOMDIR", "INSTALL", "LICENSE", "LOCKFILE", "MAKEFILE", "README", "VERSION"))


@dataclass(frozen=True, kw_only=True)
class Listed:
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


def list_files(sources: Sequence[Path], *, leave_out: Sequence[Path] = ()) -> Listing:
    """List the files of the sources: named ones, and those of folders, walked without following their links.

    Hidden files and folders are skipped. A file that two sources reach is listed once, from the first.

    Args:
        sources: Files and folders.
        leave_out: Files and folders that are not to be listed: tables, the index itself.

    Raises:
        IndexReadError: A source does not exist.
    """
    skipped = _Skipped.of(leave_out)
    files: dict[str, Listed] = {}
    passed_over = 0
    for source in sources:
        if not source.exists():
            raise IndexReadError(f"{source}: expected a file or folder of images, but nothing is there.")
        # Not resolve(): where a link leads is not the name that its user gave.
        root = Path(os.path.normpath(source.absolute()))
        for path in _walk(root, skipped):
            listed = _look(path, root)
            if listed is None:
                passed_over += 1
            else:
                files.setdefault(listed.path, listed)
    return Listing(tuple(files[path] for path in sorted(files)), passed_over)


def looks_like_image(path: str) -> bool:
    """Return whether a name is one that images have: an image's suffix, or none."""
    name = path.rpartition("/")[2].lower()
    name = name.removesuffix(".gz") if name.endswith(".nii.gz") else name
    suffix = name.rpartition(".")[2] if "." in name else ""
    # The last part of a UID (1.2.840.…) and a counter (IM.001) are no suffixes.
    if not suffix or suffix.isdecimal():
        return name.upper() not in _NOT_IMAGES
    return suffix in _IMAGE_SUFFIXES


def _walk(root: Path, skipped: _Skipped) -> Iterator[Path]:
    """Yield the files below a folder in order; a folder that may not be read is yielded itself."""
    if not root.is_dir():
        yield root
        return
    refused: list[Path] = []

    def refuse(error: OSError) -> None:
        refused.append(Path(error.filename))

    for folder, folders, names in os.walk(root, onerror=refuse):
        folders[:] = sorted(name for name in folders if not (name.startswith(".") or skipped.has(folder, name)))
        yield from (
            Path(folder, name) for name in sorted(names) if not (name.startswith(".") or skipped.has(folder, name))
        )
    yield from refused


def _look(path: Path, root: Path) -> Listed | None:
    """Return a file's entry, or nothing where it is neither a file nor a folder that may not be read."""
    relative = path.name if path == root else path.relative_to(root).as_posix()
    name = os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
    if name != path.as_posix():
        relative = os.fsencode(relative).decode("utf-8", "backslashreplace")
        return Listed(path=name, relative=relative, fault=Fault.PATH_NOT_UNICODE)
    try:
        status = path.stat()
    except PermissionError:
        return Listed(path=name, relative=relative, fault=Fault.PERMISSION_DENIED)
    except OSError:  # a link that leads nowhere
        return Listed(path=name, relative=relative, fault=Fault.UNREADABLE)
    if stat.S_ISDIR(status.st_mode):
        return Listed(path=name, relative=relative, fault=Fault.PERMISSION_DENIED)
    if not stat.S_ISREG(status.st_mode):
        return None
    return Listed(path=name, relative=relative, size=status.st_size, mtime_ns=status.st_mtime_ns, named=path == root)
