"""The bundles that a studio knows: the one it was given, and those that its revisions wrote; named, never by a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monai_unlearn.studio.studio import Studio

GIVEN, _GIVEN_WORDS = "given", "the bundle in use"
RESULT = "run"
"""In the folder of a revision: what the run wrote."""


def bundles(studio: Studio) -> dict[str, Path]:
    """Return the bundles by name: what was given first, then revisions, the newest first."""
    runs = [path for path in studio.workspace.runs.iterdir() if path.is_dir()]
    newest = sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True)
    given = studio.settings.bundle
    found = [] if given is None else list(_in(given, GIVEN))
    return dict([*found, *(pair for path in newest for pair in _in(path / RESULT, path.name))])


def bundle_named(studio: Studio, name: str) -> Path:
    """Return a bundle.

    Raises:
        InputError: There is none of this name.
    """
    found = bundles(studio).get(name)
    if found is None:
        raise InputError("there is no such bundle here: choose one that the page lists. Nothing was changed.")
    return found


def words_of(name: str) -> str:
    """Return what a page calls a bundle.

    >>> words_of("given"), words_of("given, accepted"), words_of("retire-old, rejected")
    ('the bundle in use', 'the bundle in use, accepted', 'retire-old, rejected')
    """
    kind, comma, rest = name.partition(",")
    return f"{_GIVEN_WORDS if kind == GIVEN else kind}{comma}{rest}"


def _in(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """Yield the bundle that a folder is, or those that a run wrote into it."""
    if (folder / "configs").is_dir():
        yield name, folder
    for accepted, words in ((True, "accepted"), (False, "rejected")):
        path = RunFolder(folder).bundle(accepted=accepted)
        if path.is_dir():
            yield f"{name}, {words}", path
