"""Compares the files of an index with the digests that `index.json` states, before anything is read from them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.digest_cache import DigestCache
from monai_unlearn.index.store.file_digest import FileState, file_digest, file_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Fewer bytes are hashed in a few milliseconds, each time: no cache is read or written for them.
SMALL = 4 << 20


@dataclass(frozen=True)
class FileCheck:
    """How the files of an index were compared with their digests, and what that cost.

    Attributes:
        states: The state that each file was found in, by its path; empty where the files were trusted.
        size: The bytes of all files.
        hashed: The bytes that were read and hashed; those of files that the cache knows are not.
        seconds: What the comparison took.
        is_trusted: Whether nothing was compared, because the user trusts the files.
    """

    states: Mapping[Path, FileState] = field(default_factory=dict)
    size: int = 0
    hashed: int = 0
    seconds: float = 0.0
    is_trusted: bool = True

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return {
            "files": len(self.states),
            "bytes": self.size,
            "bytes_hashed": self.hashed,
            "seconds": round(self.seconds, 4),
            "trusted": self.is_trusted,
        }

    def refuse_changes(self, directory: Path) -> None:
        """Refuse files that were written to since they were compared.

        Raises:
            IndexReadError: A file has changed or is missing.
        """
        for path, state in self.states.items():
            try:
                now = file_state(path)
            except OSError:
                raise IndexReadError(f"{path}: this part of the index is missing. {remedy(directory)}") from None
            if now != state:
                raise IndexReadError(
                    f"{path}: expected the file as it was when the index was opened, but it was changed since. "
                    f"Open the index again; if it is refused: {remedy(directory)}"
                )


def check_files(directory: Path, digests: Mapping[Path, str]) -> FileCheck:
    """Compare files with their digests; those that the cache knows are not read.

    Args:
        directory: The folder of the index.
        digests: What each file must have, `sha256:…`, by its path.

    Raises:
        IndexReadError: A file cannot be read, or is not the one that the index was written with; the first such file
            is named.
    """
    started, hashed_from = time.perf_counter(), time.time_ns()
    try:
        states = {path: file_state(path) for path in digests}
        size = sum(state.size for state in states.values())
        cache = DigestCache(directory) if size >= SMALL else None
        fresh = [path for path, digest in digests.items() if cache is None or not cache.has(states[path], digest)]
        found = dict(zip(fresh, _digests(fresh), strict=True))
    except OSError as error:
        raise IndexReadError(f"{error.filename}: cannot be read ({error.strerror}). {remedy(directory)}") from None
    for path in fresh:
        if found[path] != digests[path]:
            raise IndexReadError(other_content(path, expected=digests[path], got=found[path], directory=directory))
    if cache is not None and fresh:
        cache.keep({states[path]: digest for path, digest in digests.items()}, hashed_from=hashed_from)
    check = FileCheck(
        states=states,
        size=size,
        hashed=sum(states[path].size for path in fresh),
        seconds=time.perf_counter() - started,
        is_trusted=False,
    )
    check.refuse_changes(directory)
    return check


def other_content(path: Path, *, expected: str, got: str, directory: Path) -> str:
    """Return the message about a file that is not the one that the index was written with."""
    return (
        f"{path}: expected the content with the digest {expected[:19]}…, got {got[:19]}…: the file was changed or "
        f"damaged after the index was written. {remedy(directory)}"
    )


def remedy(directory: Path) -> str:
    """Return what to do about an index that cannot be used."""
    return f"Build it with: monai-unlearn index build SOURCE --out {directory}"


def _digests(paths: Sequence[Path]) -> list[str]:
    """Return the digest of each file; hashing releases Python's lock, so threads share the work."""
    if len(paths) < 2:  # noqa: PLR2004 - a thread for one file gains nothing
        return [file_digest(path) for path in paths]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(paths), os.cpu_count() or 1)) as pool:
        return list(pool.map(file_digest, paths))
