"""A frozen cohort on disk: canonical JSON that carries its own digest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.canonical import canonical_json, digest_of
from monai_unlearn.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_manifest(manifest: Mapping[str, Any], path: Path, *, overwrite: bool = False) -> str:
    """Write a cohort's manifest in one step, and return its digest.

    The file is canonical JSON; its key `digest` covers everything else in it.

    Args:
        manifest: `Cohort.manifest`.
        path: The file to write.
        overwrite: Whether to replace a file that is there.

    Raises:
        CohortError: The file is there already, or cannot be written.
    """
    if path.exists() and not overwrite:
        raise CohortError(f"{path}: expected a new file, got one that exists. Name another, or add --force.")
    digest = digest_of(manifest)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(canonical_json({**manifest, "digest": digest}), path)
    except OSError as error:
        raise CohortError(f"{path}: cannot be written ({error.strerror}). Name another file.") from None
    return digest


def _write(text: str, path: Path) -> None:
    stage = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        stage.write_text(text, encoding="utf-8", newline="\n")
        stage.replace(path)
    finally:
        stage.unlink(missing_ok=True)
