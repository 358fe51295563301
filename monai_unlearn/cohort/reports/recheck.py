"""Check a frozen cohort on the index as it is now: does it still hold, and what has changed?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.cohort.reports.compare import cohort_of, crossed
from monai_unlearn.cohort.reports.places import OUTSIDE, PLACES
from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.cohort.resolve.guards import refusal
from monai_unlearn.cohort.resolve.member_pixels import compare_pixels, pixels_in
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded, with_pseudonyms
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.cohort.spec.spec import CohortSpec
from monai_unlearn.errors import CohortError
from monai_unlearn.index.store.schema import PIXEL_DIGEST
from monai_unlearn.version import __version__
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.index import Index

    _Move = tuple[str, str, str]

GONE = "gone"
NEW = "new"


def recheck(
    before: Frozen,
    index: Index | None,
    *,
    now: CohortSpec | Frozen | None = None,
    listed: bool = False,
    keyfile: Path | str | None = None,
) -> dict[str, Any]:
    """Compare what a cohort was when it was frozen with what it is.

    The cohort holds if every part has the images that it had, the guards let it pass, the manifest's spec matches the
    spec digest in it, and, where both sides have digests of pixels, the images have their pixels. A changed index
    digest alone does not break it: a column may have been added. A change of tool version, and another spec, are
    reported, because results may differ.

    Args:
        before: The frozen cohort.
        index: The index as it is now; two frozen cohorts need none.
        now: A spec to resolve on the index, or a cohort that was frozen later. By default the spec in the manifest.
        listed: Whether to name the images that joined or left a part.
        keyfile: The key of a pseudonymised index, where the frozen spec lists plain identifiers.

    Returns:
        Plain values: `holds`, and the findings. In `moves`, `gone` images are no longer in the index, `outside`
        images are in it but unreadable or outside the population, and `new` images were in no part.

    Raises:
        SpecError: The spec does not fit this index or this version.
        IndexReadError: The index cannot be read.
        CohortError: There is no spec to resolve, or no index to resolve it on.
    """
    after = _now(before, index, now, keyfile)
    moves = _moves(before.parts, after)
    document: dict[str, Any] = {
        "holds": False,
        "name": before.manifest["spec"]["content"]["name"],
        "spec": _pair(before.manifest["spec"]["digest"], after.spec_digest),
        "index": _pair(before.manifest["index_digest"], after.index_digest),
        "tool_version": _pair(before.manifest["tool_version"], after.tool_version),
        "parts": {part: {name: len(ids) for name, ids in _of_part(moves, part).items()} for part in PARTS},
        "moves": crossed(((was, is_now) for _, was, is_now in moves), (*PARTS, NEW), (*PLACES, GONE)),
        "refused": after.refused,
        "pixels": _pixels(before, now, index),
    }
    document["findings"] = _findings(document, is_frozen_spec=now is None, is_written_alike=after.is_written_alike)
    document["holds"] = not any(finding["breaks"] for finding in document["findings"])
    if listed:
        wanted = ("joined", "left")
        document["image_ids"] = {part: {name: _of_part(moves, part)[name] for name in wanted} for part in PARTS}
    return document


def _pixels(before: Frozen, now: CohortSpec | Frozen | None, index: Index | None) -> dict[str, Any] | None:
    """Return how the pixels of the frozen images compare with those of the index, or of a cohort frozen later."""
    images = before.members["image_id"]
    found = None if index is None else pixels_in(index, images)
    if index is None and isinstance(now, Frozen) and now.pixels:
        found = pa.table({"image_id": list(now.pixels), PIXEL_DIGEST: list(now.pixels.values())})
    compared = compare_pixels(before.pixels, before.manifest.get("pixels"), images, found)
    return None if compared is None else compared.to_dict()


def frozen_of(given: CohortSpec | Frozen, index: Index | None, *, has_other: bool) -> Frozen:
    """Return the cohort that a check begins with: a frozen one, or a spec as it would be frozen now.

    Args:
        given: The cohort.
        index: The index.
        has_other: Whether there is another cohort to compare a spec with.

    Raises:
        CohortError: A spec stands alone, or there is no index to resolve it on.
    """
    if isinstance(given, Frozen):
        return given
    if not has_other:
        raise CohortError(
            f"{given.source}: expected the folder of a frozen cohort, got a spec alone. Give the folder that `cohort "
            "freeze` wrote as well."
        )
    found = cohort_of(given, index)
    return found if isinstance(found, Frozen) else Frozen.of(found)


@dataclass(frozen=True, kw_only=True)
class _Now:
    """What a cohort is now.

    Attributes:
        parts: The part of each image, by its identifier.
        spec_digest: The digest of its spec.
        index_digest: The digest of the index that it was resolved on.
        tool_version: The version that resolved it.
        refused: Why the guards refuse it, or None.
        indexed: The images of the index; None where no index was given.
        is_written_alike: Whether this version writes the spec as it was frozen.
    """

    parts: Mapping[str, str]
    spec_digest: str
    index_digest: str
    tool_version: str
    refused: str | None = None
    indexed: frozenset[str] | None = None
    is_written_alike: bool = True

    @classmethod
    def of_frozen(cls, frozen: Frozen, index: Index | None) -> _Now:
        return cls(
            parts=frozen.parts,
            spec_digest=frozen.manifest["spec"]["digest"],
            index_digest=frozen.manifest["index_digest"],
            tool_version=frozen.manifest["tool_version"],
            indexed=None if index is None else frozenset(index.frame(["image_id"])["image_id"]),
        )

    @classmethod
    def of_spec(cls, spec: CohortSpec, index: Index, keyfile: Path | str | None) -> _Now:
        spec = with_pseudonyms(spec, index, keyfile)
        cohort = resolve_unguarded(spec, index)
        return cls(
            parts={name: part for part, names in cohort.image_ids.items() for name in names},
            spec_digest=spec.digest,
            index_digest=index.digest,
            tool_version=__version__,
            refused=refusal(cohort),
            indexed=frozenset(cohort.answers.image.names),
        )


def _now(before: Frozen, index: Index | None, now: CohortSpec | Frozen | None, keyfile: Path | str | None) -> _Now:
    if isinstance(now, Frozen):
        return _Now.of_frozen(now, index)
    if index is None:
        raise CohortError(f"{before.source}: checking needs the index, or a second frozen cohort. Give --index DIR.")
    if now is not None:
        return _Now.of_spec(now, index, keyfile)
    spec = before.manifest["spec"]
    if spec["whole"]:
        parsed = CohortSpec.from_dict(spec["content"], source=f"the spec in {before.source}")
        found, claimed = _Now.of_spec(parsed, index, keyfile), digest_of(spec["content"])
        return replace(found, spec_digest=claimed, is_written_alike=parsed.digest == claimed)
    if (before.manifest["index_digest"], before.manifest["tool_version"]) == (index.digest, __version__):
        # The same version resolves the same spec on the same content to the same parts.
        return _Now.of_frozen(before, index)
    raise CohortError(
        f"{before.source}: the index or the version has changed, and the manifest does not hold the lists and values "
        f"of the spec, so that it cannot be resolved again. Give the spec: monai-unlearn cohort check {before.source} "
        f"SPEC --index {index.directory}"
    )


def _moves(before: Mapping[str, str], after: _Now) -> list[_Move]:
    """Return each image that was or is in a part: its identifier, where it was, and where it is."""
    indexed = after.indexed

    def is_now(name: str) -> str:
        return after.parts.get(name) or (OUTSIDE if indexed is None or name in indexed else GONE)

    return [(name, before.get(name, NEW), is_now(name)) for name in sorted(before.keys() | after.parts.keys())]


def _of_part(moves: list[_Move], part: str) -> dict[str, list[str]]:
    """Return the images of a part: frozen, now, joined and left."""
    return {
        "frozen": [name for name, was, _ in moves if was == part],
        "now": [name for name, _, is_now in moves if is_now == part],
        "joined": [name for name, was, is_now in moves if was != part == is_now],
        "left": [name for name, was, is_now in moves if was == part != is_now],
    }


def _pixel_sentence(pixels: Mapping[str, Any] | None) -> str:
    if pixels is None:
        return ""
    other = "other pixels than when the cohort was frozen"
    if pixels["changed"] is not None:
        return f"{counted(pixels['changed'], 'image has', 'images have')} {other}."
    return (
        f"Some of {counted(pixels['compared'], 'image')} have {other}; one digest of them all does not tell which. "
        "Given the index that the cohort was frozen from, monai-unlearn index verify DIR --pixels names them."
    )


def _pair(frozen: str, now: str) -> dict[str, Any]:
    return {"frozen": frozen, "now": now, "same": frozen == now}


def _findings(document: Mapping[str, Any], *, is_frozen_spec: bool, is_written_alike: bool) -> list[dict[str, Any]]:
    """Return what has changed as sentences, each with whether it breaks the cohort."""
    gone = sum(cells[GONE] for cells in document["moves"].values())
    spec, version = document["spec"], document["tool_version"]
    joined = {
        f"{counted(n['joined'], 'image')} joined the {part} part.": n["joined"] for part, n in document["parts"].items()
    }
    left = {f"{counted(n['left'], 'image')} left the {part} part.": n["left"] for part, n in document["parts"].items()}
    breaking = {
        **joined,
        **left,
        f"{counted(gone, 'frozen image is', 'frozen images are')} no longer in the index.": gone,
        _pixel_sentence(document["pixels"]): document["pixels"] and not document["pixels"]["same"],
        "The guards refuse the cohort as it is now.": document["refused"],
        "The spec in the manifest does not match the spec digest in it.": is_frozen_spec and not spec["same"],
    }
    reported = {
        "The cohort was frozen with another spec.": not is_frozen_spec and not spec["same"],
        "This version writes the spec differently, so its digest has changed.": not is_written_alike,
        "The content of the index has changed.": not document["index"]["same"],
        f"The cohort was frozen by version {version['frozen']}; this is {version['now']}.": not version["same"],
    }
    return [
        {"text": text, "breaks": texts is breaking}
        for texts in (breaking, reported)
        for text, is_so in texts.items()
        if is_so
    ]
