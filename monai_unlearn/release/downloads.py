"""What in a bundle would download weights: found, named for the card, and taken out of the revised copy.

The weights before a revision stand under the address that `large_files.yml` names. A revised bundle that kept the entry
would bring them back under its new version as soon as somebody deletes `models/` and runs MONAI's
`download_large_files`. So entries below `models/`, and of weights in any other place, are dropped: the revised weights
are in the bundle. In configs, what names a download of weights is switched off.
"""

from __future__ import annotations

import json
import posixpath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from monai_unlearn.release.config_downloads import Edit, Found, find
from monai_unlearn.release.config_text import edited, read_config
from monai_unlearn.release.contents import other_weights
from monai_unlearn.staging import write_text
from monai_unlearn.vocabulary.bundle_files import CONFIG_SUFFIXES, LARGE_FILES, config_files, is_weights, large_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.release.config_downloads import Id


def download_warnings(root: Path) -> list[str]:
    """Return a sentence for the card for everything that a revised copy of a bundle does not take over.

    Args:
        root: The bundle to revise.
    """
    found = [
        *(sentence for path in large_files(root) for sentence in _dropped(root, path)[1]),
        *(f"{_name(root, path)}, {one.sentence}" for path, one in _found(root)),
        *_unreadable(root),
    ]
    if others := other_weights(root):
        found.append(
            f"Left behind, since they may remember what was forgotten: {', '.join(others)}. Where the revised bundle "
            "needs one of these files, train it again without the forget part."
        )
    return found


def remove_downloads(root: Path) -> None:
    """Take out of a copied bundle whatever would download weights.

    Args:
        root: The copy.
    """
    for path in large_files(root):
        kept = _dropped(root, path)[0]
        if not kept:
            path.unlink()
        elif path.suffix == ".json":
            write_text(path, json.dumps({LARGE_FILES: kept}, indent=4) + "\n")
        else:
            write_text(path, yaml.safe_dump({LARGE_FILES: kept}, sort_keys=False))
    edits: dict[Path, dict[Id, Any]] = {}
    for path, one in _found(root):
        if isinstance(one, Edit):
            edits.setdefault(path, {})[one.where] = one.value
    for path, values in edits.items():
        write_text(path, edited(path, values))


def _dropped(root: Path, path: Path) -> tuple[list[Any], list[str]]:
    """Return the entries of a list that stay, and a sentence for each of the others."""
    content = read_config(path)
    entries = content.get(LARGE_FILES) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "path" in entry for entry in entries):
        return [], [f"{_name(root, path)} could not be read as a list of files to download: removed."]
    kept = [entry for entry in entries if not _is_old(str(entry["path"]))]
    names = [str(entry["path"]) for entry in entries if entry not in kept]
    if not names:
        return kept, []
    sentence = (
        f"{_name(root, path)} named {', '.join(names)} as downloads: these are weights from before this revision, so "
        "the entries were removed. The revised weights are in the bundle."
    )
    return kept, [sentence]


def _is_old(path: str) -> bool:
    """Return whether an entry brings back what stood in `models/`, or would be written outside the bundle."""
    normal = posixpath.normpath(path.replace("\\", "/")).lower()
    first = PurePosixPath(normal).parts[:1]
    return first in (("models",), ("..",), ("/",)) or ":" in normal or is_weights(PurePosixPath(normal))


def _found(root: Path) -> Iterator[tuple[Path, Found]]:
    """Yield what would download weights, with its config; an overlay may say what an id of another config means."""
    paths = config_files(root)
    # Every config is read once: parsing YAML is what takes long.
    contents = {path: read_config(path) for path in paths}
    for path in paths:
        if isinstance(contents[path], dict) and path.stem != LARGE_FILES:
            beside = [other for other in sorted(path.parent.iterdir()) if _is_other(other, path)]
            others = {other.name: contents[other] if other in contents else read_config(other) for other in beside}
            yield from ((path, one) for one in find(contents[path], elsewhere=others))


def _is_other(other: Path, path: Path) -> bool:
    return other != path and other.is_file() and other.suffix.lower() in CONFIG_SUFFIXES


def _unreadable(root: Path) -> Iterator[str]:
    for path in config_files(root):
        if read_config(path) is None:
            yield f"{_name(root, path)} is neither YAML nor JSON: whether it names a download is not known."


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
