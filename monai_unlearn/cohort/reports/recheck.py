"""A frozen cohort against the index as it is now: does it still hold, and what has changed?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monai_unlearn import __version__
from monai_unlearn.cohort.reports.compare import PLACES, crossed
from monai_unlearn.cohort.reports.report import OUTSIDE
from monai_unlearn.cohort.resolve.cohort import PARTS
from monai_unlearn.cohort.resolve.unguarded import refusal, resolve_unguarded
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.cohort.spec.document import Expect, Sample
from monai_unlearn.cohort.spec.spec import CohortSpec
from monai_unlearn.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.cohort.resolve.cohort import Cohort
    from monai_unlearn.index import Index

    _Move = tuple[str, str, str]

GONE = "gone"
NEW = "new"
# Enough values of a list to see that it is one; the rest need not pass through the reader of specs.
_FEW = 100


def recheck(manifest: Mapping[str, Any], index: Index, *, source: str, listed: bool = False) -> dict[str, Any]:
    """Resolve a frozen spec again, and compare what comes out with what was frozen.

    The cohort holds where every part has the images that it had, the guards let it pass, and the manifest's
    spec is the one whose digest it names. Another digest of the index alone changes no part: a column may
    have been added. Another version of the tool is told, since it may judge otherwise one day.

    Args:
        manifest: `read_manifest(…)`.
        index: The index as it is now.
        source: How messages name the manifest.
        listed: Whether to name the images that joined or left a part.

    Returns:
        Plain values: `holds`, and what was found. In `moves`, `gone` images are not in the index any more,
        `outside` images are in it but unreadable or not of the population, `new` images were in no part.

    Raises:
        SpecError: The frozen spec does not fit this index or this version.
        IndexReadError: The index cannot be read.
    """
    content = manifest["spec"]["content"]
    spec = _spec_of(content, f"the spec in {source}")
    cohort = resolve_unguarded(spec, index)
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
    document["findings"] = _findings(document, reads_alike=spec.digest == digest_of(content))
    document["holds"] = not any(finding["breaks"] for finding in document["findings"])
    if listed:
        wanted = ("joined", "left")
        document["image_ids"] = {part: {name: _of_part(moves, part)[name] for name in wanted} for part in PARTS}
    return document


def _spec_of(content: Mapping[str, Any], source: str) -> CohortSpec:
    """Return the spec whose `to_dict` this is.

    It is read as what an author may write, of which it is more: values that came from files are too many for
    a spec, and numbers such as 1e-05 are no YAML of ours. These are put in when the rest is read.

    Raises:
        SpecError: It is none.
    """
    try:
        value_sets = {str(name): _texts(values) for name, values in (content.get("value_sets") or {}).items()}
        sample = None if content.get("sample") is None else Sample.model_validate(content["sample"])
        expect = None if content.get("expect") is None else Expect.model_validate(content["expect"])
        written = {
            **{key: value for key, value in content.items() if key != "expect"},
            "value_sets": {name: list(values[:_FEW]) for name, values in value_sets.items()} or None,
            "sample": None if sample is None else _writable(sample),
        }
        spec = CohortSpec.from_dict(written, source=source)
        return replace(spec, value_sets=value_sets, sample=sample, expect=expect)
    except (AttributeError, TypeError, ValueError):  # pydantic's ValidationError is a ValueError
        raise SpecError(f"{source} is not one of this version of monai_unlearn. Freeze the cohort again.") from None


def _writable(sample: Sample) -> dict[str, Any]:
    """Return a sample with a fraction that any YAML can say: for the time of reading, any does."""
    given = sample.model_dump(exclude_none=True)
    return {**given, "fraction": 0.5} if "fraction" in given else given


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise TypeError("expected a list of texts")
    return tuple(values)


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
    """Return the images of a part: frozen, now, and those that make the difference."""
    return {
        "frozen": [name for name, was, _ in moves if was == part],
        "now": [name for name, _, is_now in moves if is_now == part],
        "joined": [name for name, was, is_now in moves if was != part == is_now],
        "left": [name for name, was, is_now in moves if was == part != is_now],
    }


def _pair(frozen: str, now: str) -> dict[str, Any]:
    return {"frozen": frozen, "now": now, "same": frozen == now}


def _findings(document: Mapping[str, Any], *, reads_alike: bool) -> list[dict[str, Any]]:
    """Return what has changed as sentences, each with whether the cohort does not hold for it."""
    gone = sum(cells[GONE] for cells in document["moves"].values())
    spec, version = document["spec"], document["tool_version"]
    joined = {f"{n['joined']:,} images joined the {part} part.": n["joined"] for part, n in document["parts"].items()}
    left = {f"{n['left']:,} images left the {part} part.": n["left"] for part, n in document["parts"].items()}
    breaking = {
        **joined,
        **left,
        f"{gone:,} frozen images are not in the index any more.": gone,
        "The guards refuse the cohort as it is now.": document["refused"],
        "The manifest names another digest than its spec has.": not spec["same"],
    }
    telling = {
        "This version writes the spec otherwise, so that its digest is another now.": not reads_alike,
        "The content of the index has changed.": not document["index"]["same"],
        f"The cohort was frozen by version {version['frozen']}; this is {version['now']}.": not version["same"],
    }
    return [
        {"text": text, "breaks": texts is breaking}
        for texts in (breaking, telling)
        for text, is_so in texts.items()
        if is_so
    ]
