"""Names from a browser as paths of this machine: within one given folder, or not at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

# What specs and cohorts may be called; a file's name has a suffix as well.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}(?:\.[a-z0-9]{1,8})?")


def inside(folder: Path, name: str) -> Path:
    """Return the path of a name in a folder; the folder may hold links, but none that leads out of it.

    Raises:
        InputError: The name is none of a file or folder right within it.
    """
    if not _NAME.fullmatch(name):
        raise InputError("expected a name of letters, digits, '-' and '_', got something else. Nothing was opened.")
    path = folder / name
    if path.resolve().parent != folder.resolve():
        raise InputError("expected a file in the studio's folder, got a link that leads elsewhere. Nothing was opened.")
    return path
