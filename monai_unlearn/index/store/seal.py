"""The digest that `index.json` states of itself: a changed document is refused, whatever was changed in it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SEAL = "document_digest"


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with its own digest as the last entry; one that it has already is replaced.

    >>> list(sealed({"rows": 2}))
    ['rows', 'document_digest']
    """
    # As it is read again: tuples are lists in JSON, and every key is text.
    as_read = json.loads(json.dumps({name: value for name, value in document.items() if name != SEAL}))
    return {**as_read, SEAL: seal_of(as_read)}


def seal_of(document: Mapping[str, Any]) -> str:
    """Return `sha256:…` of a document's canonical JSON, without the digest that it states of itself."""
    content = {name: value for name, value in document.items() if name != SEAL}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
