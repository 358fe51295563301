"""Keeps two runs from writing to the same place."""

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
    """Hold a lock within the block; the system releases it when the process ends, even if it is killed.

    Args:
        path: The file of the lock. It exists while the lock is held; its folder is created.
        refusal: The error to raise if another process holds the lock.

    Raises:
        UnlearnError: `refusal`, if another process holds the lock.
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
        # Deleted before the lock is released: afterwards the file may belong to another run. Windows does not allow
        # deleting an open file; there the lock deletes it itself.
        with suppress(OSError):
            path.unlink()
        lock.release()
