"""Lets an index say where the files of its images are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fetch.manifest import MANIFEST
from monai_unlearn.index.store.file_digest import file_digest
from monai_unlearn.index.store.relink import relink
from monai_unlearn.index.store.store import read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monai_unlearn.index.fetch.manifest import Fetched
    from monai_unlearn.index.fetch.wanted import Wanted
    from monai_unlearn.index.store.relink import Place

FETCHED = "fetched"


def bind(
    directory: Path,
    folder: Path,
    held: Mapping[str, Fetched],
    *,
    later: Iterable[Wanted] = (),
    on_demand: Mapping[str, Any] | None = None,
) -> None:
    """Let the rows of an index say where files are, and `index.json` what the digests of their pixels are.

    Args:
        directory: The folder of the index.
        folder: The folder of images.
        held: The files that are there.
        later: Images that are fetched when they are first used; their rows say where they will be.
        on_demand: How; see `OnDemand`. Null to keep what the index says of the same folder.
    """
    at = folder.absolute()
    places: dict[str, Place] = {one.image_id: ((at / one.name).as_posix(), None, None) for one in later}
    places |= {image: ((at / one.name).as_posix(), one.size, one.mtime_ns) for image, one in held.items()}
    if on_demand is None and (before := fetched_of(directory)).get("folder") == at.as_posix():
        on_demand = before.get("on_demand")
    stated = {"folder": at.as_posix(), "manifest": file_digest(folder / MANIFEST), "images": len(held)}
    relink(directory, places, further={FETCHED: {**stated, "on_demand": on_demand}})


def bound_folder(directory: Path) -> Path | None:
    """Return the folder of images that an index was bound to; null if there is none, or no list in it."""
    stated = fetched_of(directory).get("folder")
    folder = None if stated is None else Path(str(stated))
    return folder if folder is not None and (folder / MANIFEST).is_file() else None


def fetched_of(directory: Path) -> Mapping[str, Any]:
    """Return what an index says of its files from an archive; nothing where it has none, or cannot be read."""
    try:
        stated = read_document(directory).get(FETCHED)
    except IndexReadError:
        return {}
    return stated if isinstance(stated, dict) else {}
