"""What an earlier call left in the folder of a comparison: the table to go on with, or one of other settings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.comparison_plots import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT = "compare.json"
EARLIER = "earlier"
"""The folder of tables that were measured with another bundle, index, number of retrained networks or `--fix`."""
_KEYS = {"cohort", "budget", "method", "status"}
_IDENTITY = re.compile(r"[0-9a-f]+")


def earlier_table(out: Path, *, identity: str) -> tuple[dict[str, Any] | None, bool]:
    """Return the table to go on with, or None, and whether the folder's own table is one of other settings.

    Args:
        out: The folder of the comparison.
        identity: What the runs of this call have in common; see `RehearsalRuns.identity`.

    Raises:
        ConfigError: `compare.json` is not what a comparison writes.
    """
    found = _read(out / DOCUMENT)
    if found is not None and found["compared"]["runs"] == identity:
        return found, False
    return _read(out / EARLIER / identity / DOCUMENT), found is not None


def put_aside(out: Path) -> None:
    """Move the folder's table to where those of other settings are.

    Raises:
        ConfigError: `compare.json` is not what a comparison writes.
    """
    found = _read(out / DOCUMENT)
    if found is None:
        return
    target = out / EARLIER / found["compared"]["runs"]
    # An earlier table of the same settings is written over: the folder's has its rows.
    target.mkdir(parents=True, exist_ok=True)
    for path in _files(out):
        path.replace(target / path.name)


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        whole = (
            _IDENTITY.fullmatch(found["compared"]["runs"])
            and isinstance(found["compared"]["cohorts"], dict)
            and all(set(row) >= _KEYS for row in found["rows"])
        )
    except (ValueError, TypeError, KeyError):
        whole = None
    if not whole:
        raise ConfigError(
            f"{path}: expected what an earlier comparison wrote, and it cannot be read as that. Move it away, and call "
            "again: finished runs are kept, and rows that are asked for are written anew from them."
        )
    return found


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a table; last the one by which it is known, so that a call that is killed goes on."""
    for pattern in ("compare.csv", "compare.md", "compare.html", *(f"{kind}-*.svg" for kind in KINDS), DOCUMENT):
        yield from sorted(folder.glob(pattern))
