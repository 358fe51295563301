"""Remembers which files had which digest, so that a large index is not hashed each time it is opened.

The cache lies in the user's cache folder, `$XDG_CACHE_HOME/monai-unlearn/`, never in the index, which may be read-only
or come from elsewhere. It holds no path and no digest of a file, only hashes over the state of a file (device, inode,
size, times) and its digest together. So a damaged entry fits no file, and a file that was written to fits no entry:
both are hashed again. `monai-unlearn index verify` never asks it.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.staging import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.index.store.file_digest import FileState

# File systems round times, by up to 2 s: a younger file might change once more without a new time.
SETTLED_NS = 2_000_000_000


class DigestCache:
    """The remembered files of one index.

    Args:
        directory: The folder of the index.
    """

    def __init__(self, directory: Path) -> None:
        self._path = _cache_file(directory)
        self._entries = set[str]()
        if self._path is not None:
            with suppress(OSError, ValueError):
                self._entries = set(self._path.read_text(encoding="utf-8").split())

    def has(self, state: FileState, digest: str) -> bool:
        """Return whether a file in this state had this digest when it was hashed."""
        return _entry(state, digest) in self._entries

    def keep(self, files: Mapping[FileState, str], *, hashed_from: int) -> None:
        """Remember these files and forget all others; do nothing where no cache can be written.

        Args:
            files: Their digests, by their states.
            hashed_from: When hashing began, in ns. Files that changed shortly before are not remembered.
        """
        oldest = hashed_from - SETTLED_NS
        entries = {
            _entry(state, digest) for state, digest in files.items() if max(state.modified, state.changed) < oldest
        }
        if self._path is None or entries == self._entries:
            return
        with suppress(OSError):
            write_text(self._path, "".join(f"{entry}\n" for entry in sorted(entries)))


def _entry(state: FileState, digest: str) -> str:
    return hashlib.sha256(" ".join(map(str, (*state, digest))).encode()).hexdigest()


def _cache_file(directory: Path) -> Path | None:
    """Return the file of an index's entries; null where the user has no home."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    name = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:32]
    return folder / "monai-unlearn" / "index-files" / f"{name}.txt"
