"""Check a frozen cohort on the index as it is now: does it still hold, and what has changed?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn import __version__
from monai_unlearn.cohort.reports.compare import crossed
from monai_unlearn.cohort.reports.places import OUTSIDE, PLACES
from monai_unlearn.cohort.resolve.guards import refusal
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded, with_pseudonyms
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.cohort.spec.spec import CohortSpec
from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.cohort.resolve.cohort import Cohort
    from monai_unlearn.index import Index

    _Move = tuple[str, str, str]

GONE = "gone"
NEW = "new"


def recheck(
    manifest: Mapping[str, Any],
    index: Index,
    *,
    source: str,
    listed: bool = False,
    keyfile: Path | str | None = None,
) -> dict[str, Any]:
    """Resolve a frozen spec again, and compare what comes out with what was frozen.

    The cohort holds if every part has the images that it had, the guards let it pass, and the manifest's spec
    matches the spec digest in it. A changed index digest alone does not break it: a column may have been added. A
    change of tool version is reported, because results may differ.

    Args:
        manifest: `read_manifest(…)`.
        index: The index as it is now.
        source: How messages name the manifest.
        listed: Whether to name the images that joined or left a part.
        keyfile: The key of a pseudonymised index, where the frozen spec lists plain identifiers.

    Returns:
        Plain values: `holds`, and the findings. In `moves`, `gone` images are no longer in the index, `outside`
        images are in it but unreadable or outside the population, and `new` images were in no part.

    Raises:
        SpecError: The frozen spec does not fit this index or this version.
        IndexReadError: The index cannot be read.
    """
    content = manifest["spec"]["content"]
    spec = CohortSpec.from_dict(content, source=f"the spec in {source}")
    cohort = resolve_unguarded(with_pseudonyms(spec, index, keyfile), index)
    moves = _moves(manifest["image_ids"], cohort)
    document: dict[str, Any] = {
        "holds": False,
        "name": spec.name,
        "spec": _pair(manifest["spec"]["digest"], digest_of(content)),
        "index": _pair(manifest["index_digest"], index.digest),
        "tool_version": _pair(manifest["tool_version"], __version__),
        "parts": {part: {name: len(ids) for name, ids in _of_part(moves, part).items()} for part in PARTS},
        "moves": crossed(((was, is_now) for _, was, is_now in moves), (*PARTS, NEW), (*PLACES, GONE)),
        "refused": refusal(cohort),
    }
    document["findings"] = _findings(document, same_digest=spec.digest == digest_of(content))
    document["holds"] = not any(finding["breaks"] for finding in document["findings"])
    if listed:
        wanted = ("joined", "left")
        document["image_ids"] = {part: {name: _of_part(moves, part)[name] for name in wanted} for part in PARTS}
    return document


def _moves(frozen: Mapping[str, list[str]], cohort: Cohort) -> list[_Move]:
    """Return each image that was or is in a part: its identifier, where it was, and where it is."""
    before = {name: part for part, names in frozen.items() for name in names}
    now = {name: part for part, names in cohort.image_ids.items() for name in names}
    indexed = set(cohort.answers.image.names)
    return [
        (name, before.get(name, NEW), now.get(name, OUTSIDE if name in indexed else GONE))
        for name in sorted(before.keys() | now.keys())
    ]


def _of_part(moves: list[_Move], part: str) -> dict[str, list[str]]:
    """Return the images of a part: frozen, now, joined and left."""
    return {
        "frozen": [name for name, was, _ in moves if was == part],
        "now": [name for name, _, is_now in moves if is_now == part],
        "joined": [name for name, was, is_now in moves if was != part == is_now],
        "left": [name for name, was, is_now in moves if was == part != is_now],
    }


def _pair(frozen: str, now: str) -> dict[str, Any]:
    return {"frozen": frozen, "now": now, "same": frozen == now}


def _findings(document: Mapping[str, Any], *, same_digest: bool) -> list[dict[str, Any]]:
    """Return what has changed as sentences, each with whether it breaks the cohort."""
    gone = sum(cells[GONE] for cells in document["moves"].values())
    spec, version = document["spec"], document["tool_version"]
    joined = {f"{n['joined']:,} images joined the {part} part.": n["joined"] for part, n in document["parts"].items()}
    left = {f"{n['left']:,} images left the {part} part.": n["left"] for part, n in document["parts"].items()}
    breaking = {
        **joined,
        **left,
        f"{gone:,} frozen images are no longer in the index.": gone,
        "The guards refuse the cohort as it is now.": document["refused"],
        "The spec in the manifest does not match the spec digest in it.": not spec["same"],
    }
    reported = {
        "This version writes the spec differently, so its digest has changed.": not same_digest,
        "The content of the index has changed.": not document["index"]["same"],
        f"The cohort was frozen by version {version['frozen']}; this is {version['now']}.": not version["same"],
    }
    return [
        {"text": text, "breaks": texts is breaking}
        for texts in (breaking, reported)
        for text, is_so in texts.items()
        if is_so
    ]
