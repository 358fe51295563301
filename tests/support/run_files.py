"""Reads what a run wrote, by the names of its files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_OF_THE_EVIDENCE = {"metrics.json", "run.json", "cohort_manifest.json", "model_card_diff.json"}


def read(folder: Path, name: str) -> Any:
    """Return the content of a JSON file of a folder; of a run's folder, that of its evidence too."""
    folder = folder / "evidence" if name in _OF_THE_EVIDENCE else folder
    return json.loads((folder / name).read_text(encoding="utf-8"))


def revised_digest(folder: Path) -> str:
    """Return the digest of the revised weights of a run."""
    return read(folder, "run.json")["digests"]["revised_weights"]
