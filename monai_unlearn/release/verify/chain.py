"""Checks the lineage of a bundle: each revision builds on the one before, and the last one is this bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.lineage.document import Lineage
from monai_unlearn.errors import ConfigError
from monai_unlearn.release.contents import TRAINING_RECORD
from monai_unlearn.release.verify.report import tampered
from monai_unlearn.vocabulary.run_folder import LINEAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monai_unlearn.release.verify.report import Fault


def read_record(root: Path) -> dict[str, Any]:
    """Return the training record of a bundle; empty where there is none that can be read."""
    try:
        record = json.loads((root / TRAINING_RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def read_lineage(root: Path) -> tuple[Lineage | None, list[Fault]]:
    """Return the lineage of a bundle, and what is wrong with its file.

    Args:
        root: The bundle.
    """
    try:
        return Lineage.read_for(root, read_record(root)), []
    except ConfigError as error:
        return None, [tampered(LINEAGE, str(error).removeprefix(f"{root / LINEAGE}").removeprefix(": ").strip())]


def check_chain(lineage: Lineage, *, version: str, weights: str | None) -> Iterator[Fault]:
    """Yield where the chain of revisions is broken.

    Args:
        lineage: The lineage.
        version: The version of the bundle.
        weights: The digest of its weights; None where they could not be read.
    """
    for before, after in zip(lineage.revisions, lineage.revisions[1:], strict=False):
        if before.version != after.base_version:
            what = f"revision {after.version} builds on {after.base_version}, but the one before made {before.version}."
            yield tampered(LINEAGE, what)
        if before.weights_digest != after.base_weights_digest:
            what = f"revision {after.version} builds on weights {after.base_weights_digest}, but the one before made"
            yield tampered(LINEAGE, f"{what} {before.weights_digest}.")
    last = lineage.revisions[-1]
    if last.version != version:
        yield tampered(LINEAGE, f"ends with version {last.version}; the metadata say {version}.")
    if weights is not None and last.weights_digest != weights:
        yield tampered(LINEAGE, f"ends with weights {last.weights_digest}; the weights in the bundle are {weights}.")
