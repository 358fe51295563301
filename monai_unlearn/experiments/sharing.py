"""What the runs of an experiment share: images that one of them has decoded, in a folder that goes with it.

See `monai_unlearn/data/shared_images.py`, by which a run uses it.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.cache_folder import CacheFolder
from monai_unlearn.errors import ConfigError
from monai_unlearn.vocabulary.run_folder import SHARED_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CACHE_DIR = "subsets::cache_dir"
"""The config id of the place that a user chooses for decoded images."""
_NONE = ("", "null", "None", "~")
_shared: CacheFolder | None = None


@contextmanager
def sharing(out: Path, fixed: Mapping[str, str]) -> Iterator[None]:
    """Let the runs that are started within the block share a folder, which is removed at its end.

    Where none can be made, each run decodes for itself.

    Args:
        out: The folder of the experiment, which makes the shared one there.
        fixed: Settings of its runs by their ids; the place that they name for decoded images is used instead.
    """
    global _shared  # noqa: PLW0603 - runs are started in threads, to which no context is passed on
    if _shared is not None:
        yield
        return
    _shared = _made(out, fixed)
    try:
        yield
    finally:
        used, _shared = _shared, None
        if used is not None:
            used.remove()


def shared_environment() -> dict[str, str]:
    """Return the environment variable that names the shared folder to runs; empty outside a block of `sharing`."""
    return {} if _shared is None else {SHARED_FOLDER: str(_shared.path.absolute())}


def _made(out: Path, fixed: Mapping[str, str]) -> CacheFolder | None:
    chosen = fixed.get(CACHE_DIR, "")
    try:
        # One experiment at a time writes into its folder, but many may have chosen the same place elsewhere.
        return CacheFolder(out, is_alone=True) if chosen in _NONE else CacheFolder(Path(chosen))
    except ConfigError:
        return None
