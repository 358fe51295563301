"""The folder of decoded images on disk: for its owner alone, in use while a lock is held, removed at the end.

Decoded images are patient data. A folder is made with permissions 0700, never in a bundle or in what a run passes on. A
process that ends removes its own; what a killed one left is removed by the next that makes one in the same place.

The runs of an experiment share one, which the experiment makes and an environment variable names to them.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from multiprocessing.util import Finalize
from pathlib import Path

from filelock import FileLock, Timeout

from monai_unlearn.errors import ConfigError
from monai_unlearn.vocabulary.run_folder import SHARED_FOLDER, RunFolder

PREFIX = ".monai-unlearn-images-"
_LOCK = "in-use.lock"
_OTHERS = 0o077
# A folder younger than this may be one whose lock its process is about to take.
_SETTLED_S = 60.0


class CacheFolder:
    """A new folder for decoded images; it is removed with this object, and at the end of the process.

    Args:
        parent: The folder to make it in; by default the system's for temporary files.
        is_alone: Whether no other process makes one there meanwhile, so that what is there was left, however young.

    Attributes:
        path: The folder.

    Raises:
        ConfigError: It cannot be made there, or is not to be made there.
    """

    def __init__(self, parent: Path | None = None, *, is_alone: bool = False) -> None:
        where = Path(tempfile.gettempdir()) if parent is None else parent
        check_stays(where)
        try:
            where.mkdir(parents=True, exist_ok=True)
            remove_left(where, settled_s=0.0 if is_alone else _SETTLED_S)
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=where))  # with permissions 0700
            lock = FileLock(self.path / _LOCK, blocking=False)
            lock.acquire()
        except OSError as error:
            raise ConfigError(
                f"cache_dir: decoded images cannot be kept in {where} ({type(error).__name__}). "
                "Choose a folder that you can write to: --subsets::cache_dir FOLDER"
            ) from error
        # Unlike weakref's, it also runs where a process of multiprocessing ends, and not in those forked from this one.
        self._finalizer = Finalize(self, _remove, args=(self.path, lock), exitpriority=0)

    def remove(self) -> None:
        """Remove the folder now."""
        self._finalizer()

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}

    @property
    def free(self) -> int:
        """How many bytes are free on its disk."""
        return shutil.disk_usage(self.path).free


def check_outside(where: Path, output_dir: Path) -> None:
    """Refuse a place among the results of this run.

    Raises:
        ConfigError: It is such a place.
    """
    if where.resolve().is_relative_to(output_dir.resolve()):
        raise _travels(where, output_dir)


def check_stays(where: Path) -> None:
    """Refuse a place inside a bundle or among the results of an earlier run: bundles are passed on.

    Raises:
        ConfigError: It is such a place.
    """
    resolved = where.resolve()
    for folder in (resolved, *resolved.parents):
        if (folder / "configs" / "metadata.json").exists() or RunFolder(folder).metrics.exists():
            raise _travels(where, folder)


def remove_left(where: Path, *, settled_s: float = _SETTLED_S) -> None:
    """Remove the folders of processes that were killed: those whose lock nobody holds.

    Args:
        where: The folder that they are in.
        settled_s: A folder that was changed so few seconds ago may be new, and is left alone.
    """
    for path in where.glob(f"{PREFIX}*"):
        try:
            if time.time() - path.stat().st_mtime < settled_s:
                continue
            with FileLock(path / _LOCK, blocking=False):
                shutil.rmtree(path, ignore_errors=True)
        except (OSError, Timeout):  # in use, or of another user
            continue


def shared_folder() -> Path | None:
    """Return the folder that this run shares with others of its experiment; None where there is none to trust.

    What it holds is taken for what this run would compute, so that it must be writable for this user alone.
    """
    named = os.environ.get(SHARED_FOLDER)
    if not named or not hasattr(os, "getuid"):
        return None
    try:
        found = Path(named).lstat()
    except OSError:
        return None
    is_mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & _OTHERS
    return Path(named) if is_mine else None


def _travels(where: Path, folder: Path) -> ConfigError:
    return ConfigError(
        f"cache_dir: {where} is inside {folder}, which is passed on, and decoded images are patient data. "
        "Choose a folder elsewhere: --subsets::cache_dir FOLDER"
    )


def _remove(path: Path, lock: FileLock) -> None:
    shutil.rmtree(path, ignore_errors=True)
    lock.release()
