"""Writes a folder whole or not at all."""

from __future__ import annotations

import glob
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_free(target: Path) -> None:
    """Refuse a target that something stands in.

    Raises:
        ConfigError: The target is a file or a folder that is not empty.
    """
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise ConfigError(f"output_dir {target} is not empty. Give a folder that is new or empty; nothing was changed.")


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Yield a folder beside the target that takes its place when the block ends well.

    A run that fails or is killed leaves no target; what a killed run wrote stands beside it, hidden, until
    `remove_unfinished`.

    Raises:
        ConfigError: The target is not free.
    """
    check_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
    try:
        yield aside
        # mkdtemp makes folders private; results are as readable as the user's other files.
        umask = os.umask(0)
        os.umask(umask)
        aside.chmod(0o777 & ~umask)
        aside.replace(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def remove_unfinished(target: Path) -> None:
    """Remove what killed runs wrote beside the target; the caller knows that none is at work there."""
    for path in target.parent.glob(f"{glob.escape(_prefix(target))}*"):
        shutil.rmtree(path, ignore_errors=True)


def _prefix(target: Path) -> str:
    return f".{target.name}.partial-"


def write_json(path: Path, document: object) -> None:
    """Write a document as indented UTF-8 JSON with a final newline.

    Raises:
        ValueError: The document holds NaN or infinity, which JSON has no word for.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
