"""Replaces decoding in the workers of a check: it crashes or hangs on files whose names say so."""

from __future__ import annotations

import os
import time
from pathlib import Path


def die_or_hang(files: list[tuple[str, str]]) -> list[str | None]:
    """Find no fault in any file, unless its name begins with `die` or `hang`."""
    for path, _ in files:
        if Path(path).name.startswith("die"):
            os._exit(3)
        if Path(path).name.startswith("hang"):
            time.sleep(600)
    return [None for _ in files]
