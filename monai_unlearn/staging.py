"""Write a folder or a file whole or not at all: write it aside, then rename it into place."""

from __future__ import annotations

import glob
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError
from monai_unlearn.terminal import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_free(target: Path) -> None:
    """Refuse a target that exists, unless it is an empty folder.

    Raises:
        InputError: The target is a file or a folder that is not empty.
    """
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists():
        found = "a folder that is not empty" if target.is_dir() else "a file"
        raise InputError(
            f"{target}: expected a new or empty folder, found {found}. Choose another; nothing was changed."
        )


def check_writable(target: Path) -> None:
    """Refuse a target that cannot be made or written, before anything is done for it.

    Args:
        target: A folder that may be there; what is missing of its path is made later.

    Raises:
        InputError: The nearest folder that is there is a file, or nothing can be made in it.
    """
    there = target.resolve()
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryDirectory(prefix=".monai-unlearn-", dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"{target}: expected a folder that can be written, but nothing can be made in {there} ({error.strerror}). "
            "Choose another; nothing was changed."
        ) from None


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the target's place when the block ends without an error.

    A run that fails leaves nothing. A run that is killed leaves no target, but a hidden folder beside it, which
    `remove_unfinished` removes.

    Raises:
        InputError: The target is a file or a folder that is not empty.

    >>> with staged(Path("results")) as folder:
    ...     _ = (folder / "metrics.json").write_text("{}")
    ...     Path("results").exists()
    False
    >>> [path.name for path in Path("results").iterdir()]
    ['metrics.json']
    """
    check_free(target)
    with _aside(target.resolve()) as folder:
        folder.mkdir()
        yield folder


@contextmanager
def staged_file(target: Path, *, name: str | None = None) -> Iterator[Path]:
    """Yield the path of a new file that replaces the target when the block ends without an error.

    Args:
        target: The file to write or to replace.
        name: The name of the new file, in a hidden folder beside the target, while it is written: some formats store
            it. By default the target's.
    """
    with _aside(target, name) as path:
        yield path


def remove_unfinished(target: Path) -> None:
    """Remove what killed runs wrote beside the target. Call it only while no other run writes there."""
    resolved = target.resolve()
    for path in resolved.parent.glob(f"{glob.escape(_prefix(resolved))}*"):
        shutil.rmtree(path, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file with Unix line ends, whole or not at all."""
    with staged_file(path) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, document: object) -> None:
    """Write a document as indented UTF-8 JSON with a final newline, whole or not at all.

    Raises:
        ValueError: The document holds NaN or infinity, which JSON cannot express.
    """
    write_text(path, json_text(document, allow_nan=False) + "\n")


@contextmanager
def _aside(target: Path, name: str | None = None) -> Iterator[Path]:
    """Yield a free path in a hidden folder beside the target, and rename it to the target at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_prefix(target), dir=target.parent, ignore_cleanup_errors=True) as hidden:
        aside = Path(hidden) / (name or target.name)
        yield aside
        aside.replace(target)


def _prefix(target: Path) -> str:
    return f".{target.name}.partial-"
