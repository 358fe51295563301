"""The key of the handles that stand for files in messages: random, of one user on one machine, and never passed on.

Without a key, whoever sees a handle could hash names that a file may have, and find the right one. The key lies in the
user's cache folder, not in an index, which may be read-only, come from elsewhere, or not be written yet when its first
message names a file. So `index build` and `index report` give a file the same handle, and no other site does.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

_BYTES = 32


def handle_key() -> bytes:
    """Return the key; where none can be kept, one for this process alone."""
    path = _key_file()
    return _process_key() if path is None else _kept(path)


@cache
def _process_key() -> bytes:
    return secrets.token_bytes(_BYTES)


@cache
def _kept(path: Path) -> bytes:
    """Return the key in a file, which is made if it is not there or is no key."""
    with suppress(OSError):
        if len(found := path.read_bytes()) == _BYTES:
            return found
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(dir=path.parent)  # for its owner alone
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(_process_key())
            if path.exists() and path.stat().st_size != _BYTES:
                path.unlink()
            with suppress(FileExistsError):  # of two processes, the first decides
                os.link(aside, path)
        finally:
            Path(aside).unlink()
        found = path.read_bytes()
    except OSError:
        return _process_key()
    return found if len(found) == _BYTES else _process_key()


def _key_file() -> Path | None:
    """Return where the key is kept; null where the user has no home."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return folder / "monai-unlearn" / "handle.key"
