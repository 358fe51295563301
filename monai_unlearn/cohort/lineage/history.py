"""What a bundle forgot, revision by revision, for people and scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.lineage.document import Lineage
from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def history(bundle: Path) -> dict[str, Any]:
    """Return name and version of a bundle, and its revisions, the first one first.

    Args:
        bundle: The folder of the bundle.

    Returns:
        `{"bundle", "name", "version", "revisions", "digest"}`; the digest is that of `lineage.json`, null for a bundle
        that was never revised.

    Raises:
        ConfigError: The folder is no bundle, its lineage is damaged, or is missing from a revised bundle.
    """
    metadata = _read(bundle / "configs" / "metadata.json")
    version = metadata.get("version")
    if not isinstance(version, str):
        raise ConfigError(f"{bundle}: expected a MONAI bundle, with a version in configs/metadata.json; found none.")
    lineage = Lineage.read_for(bundle, _read(bundle / "models" / "training.json"))
    return {
        "bundle": str(bundle),
        "name": str(metadata.get("name", bundle.name)),
        "version": version,
        "revisions": [] if lineage is None else lineage.model_dump(mode="json")["revisions"],
        "digest": None if lineage is None else lineage.digest,
    }


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
