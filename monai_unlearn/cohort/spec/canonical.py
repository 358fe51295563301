"""Canonical JSON: one text for one content, which digests cover and manifests are written in."""

from __future__ import annotations

import hashlib
import json


def canonical_json(content: object) -> str:
    """Return JSON with sorted keys, two spaces of indent and a newline at the end.

    Raises:
        ValueError: A number is not finite.
    """
    return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def digest_of(content: object) -> str:
    """Return `sha256:…` of a content's canonical JSON in UTF-8."""
    return f"sha256:{hashlib.sha256(canonical_json(content).encode()).hexdigest()}"
