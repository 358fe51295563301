"""The manifest of a frozen cohort: canonical JSON in counts and digests, which carries its own digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.errors import CohortError
from monai_unlearn.staging import write_text
from monai_unlearn.terminal import json_text
from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
MAX_BYTES = 16 * 1024**2
_FREEZE = "Freeze the cohort again with: monai-unlearn cohort freeze SPEC --index DIR --out DIR"


def write_manifest(manifest: Mapping[str, Any], path: Path) -> str:
    """Write a manifest in one step, replacing an earlier one, and return its digest.

    The file is canonical JSON; its key `digest` covers everything else in it.

    Raises:
        CohortError: The file cannot be written.
    """
    digest = digest_of(manifest)
    write_document({**manifest, "digest": digest}, path, overwrite=True)
    return digest


def write_document(content: Mapping[str, Any], path: Path, *, overwrite: bool = False) -> None:
    """Write canonical JSON in one step.

    Raises:
        CohortError: The file exists already, or cannot be written.
    """
    if path.exists() and not overwrite:
        raise CohortError(f"{path}: expected a new file, got one that exists. Name another, or add --force.")
    try:
        write_text(path, json_text(content, sort_keys=True, allow_nan=False) + "\n")
    except OSError as error:
        raise CohortError(f"{path}: cannot be written ({error.strerror}). Name another file.") from None


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest that `write_manifest` wrote, and check that nothing in it has changed since.

    The digest detects damage and edits by hand. It does not prove who froze the cohort: anyone who can write the file
    can also write a matching digest.

    Returns:
        The manifest, without its key `digest`.

    Raises:
        CohortError: The file cannot be read, is not a manifest of this version, or does not match its digest.
    """
    claimed, content, digest = _parsed(_bytes(path), path)
    if claimed is None or "members" not in content:
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
            raise CohortError(f"{path}: expected a file. Give the folder that `cohort freeze` wrote.")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CohortError(
            f"{path}: cannot be read ({error.strerror}). Give the folder that `cohort freeze` wrote."
        ) from None
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


# What a check needs: each key, and the type of its value.
_SHAPE: dict[str, Any] = {
    "spec": {"digest": str, "whole": bool, "content": {"name": str}, "rules": list},
    "index_digest": str,
    "tool_version": str,
    "images": dict.fromkeys(PARTS, int),
    "patients": dict.fromkeys(PARTS, int),
    "members": {"file": str, "digest": str, "images": int},
}


def _is_whole(content: Mapping[str, Any]) -> bool:
    """Return whether everything is there that a check needs."""
    return _fits(content, _SHAPE)


def _fits(value: object, shape: object) -> bool:
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(_fits(value.get(key), inner) for key, inner in shape.items())
    return isinstance(value, shape)  # type: ignore[arg-type] # what is no mapping is a type
