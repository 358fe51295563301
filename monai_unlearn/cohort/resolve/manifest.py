"""A frozen cohort on disk: canonical JSON that carries its own digest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.spec.canonical import canonical_json, digest_of
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = 1
# About three million images, each by its SOPInstanceUID.
MAX_BYTES = 256 * 1024**2
_FREEZE = "Freeze the cohort again with: monai-unlearn cohort freeze SPEC --index DIR --out FILE"


def write_manifest(manifest: Mapping[str, Any], path: Path, *, overwrite: bool = False) -> str:
    """Write a cohort's manifest in one step, and return its digest.

    The file is canonical JSON; its key `digest` covers everything else in it.

    Args:
        manifest: `Cohort.manifest`.
        path: The file to write.
        overwrite: Whether to replace an existing file.

    Raises:
        CohortError: The file exists already, or cannot be written.
    """
    digest = digest_of(manifest)
    write_document({**manifest, "digest": digest}, path, overwrite=overwrite)
    return digest


def write_document(content: Mapping[str, Any], path: Path, *, overwrite: bool = False) -> None:
    """Write canonical JSON in one step.

    Raises:
        CohortError: The file exists already, or cannot be written.
    """
    if path.exists() and not overwrite:
        raise CohortError(f"{path}: expected a new file, got one that exists. Name another, or add --force.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(canonical_json(content), path)
    except OSError as error:
        raise CohortError(f"{path}: cannot be written ({error.strerror}). Name another file.") from None


def _write(text: str, path: Path) -> None:
    stage = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        stage.write_text(text, encoding="utf-8", newline="\n")
        stage.replace(path)
    finally:
        stage.unlink(missing_ok=True)


def read_manifest(path: Path | str) -> dict[str, Any]:
    """Read a manifest that `write_manifest` wrote, and check that nothing in it has changed since.

    The digest detects damage and edits by hand. It does not prove who froze the cohort: anyone who can write the file
    can also write a matching digest.

    Returns:
        The manifest, without its key `digest`.

    Raises:
        CohortError: The file cannot be read, is not a manifest of this version, or does not match its digest.
    """
    path = Path(path)
    claimed, content, digest = _parsed(_bytes(path), path)
    if claimed is None or "image_ids" not in content:
        raise CohortError(f"{path}: expected the manifest of a frozen cohort, got other JSON. {_FREEZE}")
    if content.get("schema_version") != SCHEMA_VERSION:
        raise CohortError(f"{path}: expected a manifest of schema version {SCHEMA_VERSION}, got another. {_FREEZE}")
    if claimed != digest:
        raise CohortError(
            f"{path}: the manifest does not match its digest: it was changed after it was frozen. Get the file that "
            "was frozen; this one no longer shows what the cohort was."
        )
    if not _is_whole(content):
        raise CohortError(f"{path}: expected the manifest of a frozen cohort, got parts of one. {_FREEZE}")
    return content


def _bytes(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise CohortError(f"{path}: expected a file. Give the manifest that `cohort freeze` wrote.")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CohortError(f"{path}: cannot be read ({error.strerror}). Give a manifest's path.") from None
    if len(content) > MAX_BYTES:
        raise CohortError(f"{path}: expected at most {MAX_BYTES // 1024**2} MiB of JSON, got more.")
    return content


def _parsed(content: bytes, path: Path) -> tuple[object, dict[str, Any], str]:
    """Return the digest that a document claims, the rest of the document, and the digest of the rest."""
    try:
        document = json.loads(content.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        if not isinstance(document, dict):
            raise CohortError(f"{path}: expected the manifest of a frozen cohort, got other JSON. {_FREEZE}")
        claimed = document.pop("digest", None)
        return claimed, document, digest_of(document)
    except (ValueError, RecursionError):  # UnicodeError included: a lone surrogate, which no digest can cover
        raise CohortError(f"{path}: expected JSON, got other content. {_FREEZE}") from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _is_whole(content: Mapping[str, Any]) -> bool:
    """Return whether everything is there that a check needs."""
    spec, ids = content.get("spec"), content["image_ids"]
    return (
        isinstance(spec, dict)
        and isinstance(spec.get("digest"), str)
        and isinstance(spec.get("content"), dict)
        and isinstance(content.get("index_digest"), str)
        and isinstance(content.get("tool_version"), str)
        and isinstance(ids, dict)
        and ids.keys() == set(PARTS)
        and _are_names(ids)
    )


def _are_names(ids: Mapping[str, object]) -> bool:
    """Return whether these are lists of texts, each text in one list and once."""
    names = [name for part in ids.values() if isinstance(part, list) for name in part]
    texts = {name for name in names if isinstance(name, str)}
    return all(isinstance(part, list) for part in ids.values()) and len(texts) == len(names)
