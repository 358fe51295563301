"""What belongs to a bundle, and what a revised copy leaves behind.

| in the folder of a bundle | in its revised copy |
| --- | --- |
| `configs/`, `docs/`, `scripts/` with all below them, `LICENSE`, any other file or folder | copied |
| configs (YAML, JSON), `configs/metadata.json`, `large_files.*` | copied, rewritten where the revision changes them |
| `models/` | left behind: old weights, snapshots of training, exports, records; the revised weights take their place |
| files of weights in any other place | left behind for the same reason, and named on the card |
| `eval/`, `mlruns/`, `mlruns.db` | left behind: outputs of runs, which may name images |
| `__pycache__`, hidden files and folders | left behind |
| `SHA256SUMS`, `ledger_head.json` | left behind: the copy has its own |
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from monai_unlearn.vocabulary.bundle_files import is_weights
from monai_unlearn.vocabulary.run_folder import TRACKING_ARTIFACTS, TRACKING_DATABASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

WEIGHTS = Path("models/model.pt")
TRAINING_RECORD = Path("models/training.json")
# The folder of the states that training kept on its way, beside the weights.
SNAPSHOTS = "snapshots"
SUMS = "SHA256SUMS"
LEDGER_HEAD = "ledger_head.json"

# Some file systems do not tell `Models` from `models`.
_AT_THE_ROOT_FOLDED = frozenset(
    name.casefold() for name in ("models", "eval", TRACKING_ARTIFACTS, TRACKING_DATABASE, SUMS, LEDGER_HEAD)
)


def is_left_behind(relative: PurePath) -> bool:
    """Return whether a revised bundle does without a file or folder of its base.

    >>> [is_left_behind(PurePath(name)) for name in ("models", "scripts/models", "scripts/models/net.py", ".git")]
    [True, False, False, True]

    Args:
        relative: Its path within the bundle.
    """
    first, name = relative.parts[0], relative.name
    return (
        first.casefold() in _AT_THE_ROOT_FOLDED or name == "__pycache__" or name.startswith(".") or is_weights(relative)
    )


def left_behind(root: Path) -> Callable[[str, list[str]], set[str]]:
    """Return the `ignore` of `shutil.copytree` for a copy of a bundle that is revised.

    Args:
        root: The bundle.
    """

    def ignore(folder: str, names: list[str]) -> set[str]:
        within = PurePath(os.path.relpath(folder, root))
        return {name for name in names if is_left_behind(within / name)}

    return ignore


def other_weights(root: Path) -> list[str]:
    """Return the files of weights that a revised bundle leaves behind, without those that it replaces.

    Snapshots of training are no files that a bundle needs, and not named.

    Args:
        root: The bundle.

    Returns:
        Their paths within the bundle, sorted.
    """
    replaced = {WEIGHTS.as_posix(), WEIGHTS.with_suffix(".ts").as_posix()}
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if is_weights(path) and path.is_file()}
    snapshots = f"{(WEIGHTS.parent / SNAPSHOTS).as_posix()}/"
    return sorted(name for name in found - replaced if not name.startswith(snapshots))


def all_files(root: Path) -> Iterator[Path]:
    """Yield every file below a folder, hidden ones and those below `.git` included, sorted.

    A link counts as a file, wherever it leads: a link may not make files of another place part of a release.
    """
    for folder, below, names in os.walk(root):
        links = [name for name in below if Path(folder, name).is_symlink()]
        below[:] = sorted(set(below) - set(links))
        yield from (Path(folder, name) for name in sorted([*names, *links]))


def relative_names(root: Path, paths: Iterable[Path]) -> list[str]:
    """Return paths within a folder in POSIX form."""
    return [path.relative_to(root).as_posix() for path in paths]
