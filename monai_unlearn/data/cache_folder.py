"""The folder of decoded images on disk: for its owner alone, in use while a lock is held, removed at the end.

Decoded images are patient data. A folder is made with permissions 0700, never in a bundle or in what a run passes on. A
process that ends removes its own; what a killed one left is removed by the next that makes one in the same place.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from multiprocessing.util import Finalize
from pathlib import Path

from filelock import FileLock, Timeout

from monai_unlearn.errors import ConfigError
from monai_unlearn.vocabulary.run_folder import RunFolder

PREFIX = ".monai-unlearn-images-"
_LOCK = "in-use.lock"
# A folder younger than this may be one whose lock its process is about to take.
_SETTLED_S = 60.0


class CacheFolder:
    """A new folder for decoded images; it is removed with this object, and at the end of the process.

    Args:
        parent: The folder to make it in; by default the system's for temporary files.

    Attributes:
        path: The folder.

    Raises:
        ConfigError: It cannot be made there, or is not to be made there.
    """

    def __init__(self, parent: Path | None = None) -> None:
        where = Path(tempfile.gettempdir()) if parent is None else parent
        check_stays(where)
        try:
            where.mkdir(parents=True, exist_ok=True)
            remove_left(where)
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


def remove_left(where: Path) -> None:
    """Remove the folders of processes that were killed: those whose lock nobody holds."""
    for path in where.glob(f"{PREFIX}*"):
        try:
            if time.time() - path.stat().st_mtime < _SETTLED_S:
                continue
            with FileLock(path / _LOCK, blocking=False):
                shutil.rmtree(path, ignore_errors=True)
        except (OSError, Timeout):  # in use, or of another user
            continue


def _travels(where: Path, folder: Path) -> ConfigError:
    return ConfigError(
        f"cache_dir: {where} is inside {folder}, which is passed on, and decoded images are patient data. "
        "Choose a folder elsewhere: --subsets::cache_dir FOLDER"
    )


def _remove(path: Path, lock: FileLock) -> None:
    shutil.rmtree(path, ignore_errors=True)
    lock.release()
