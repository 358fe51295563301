"""Keeps two runs from writing to one place."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monai_unlearn.errors import UnlearnError


@contextmanager
def locked(path: Path, *, refusal: UnlearnError) -> Iterator[None]:
    """Hold a lock for a block; it ends with the process, however that ends.

    Args:
        path: The file of the lock. It is there while the lock is held, and its folder is made.
        refusal: What to raise where another process holds it.

    Raises:
        UnlearnError: The refusal.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise refusal from None
    try:
        yield
    finally:
        # Before the lock is given back: afterwards the file may be another run's. Windows lets nobody delete a file
        # that is open; there the lock deletes it itself.
        with suppress(OSError):
            path.unlink()
        lock.release()
