"""The digest of a file's bytes, and the state by which the system tells a file that was written to."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20


class FileState(NamedTuple):
    """What changes when a file is written to, replaced, or given back its old time.

    Attributes:
        device: The file system.
        inode: The file within it.
        size: In bytes.
        modified: When the content changed, in ns; whoever writes can set it back.
        changed: When content or attributes changed, in ns; the system sets it. The time of creation on Windows.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def file_digest(path: Path) -> str:
    """Return `sha256:…` of a file's bytes.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def file_state(path: Path) -> FileState:
    """Return the present state of a file.

    Raises:
        OSError: There is no such file.
    """
    found = path.stat()
    return FileState(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
