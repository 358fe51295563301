"""What must hold of a cohort before anybody uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.attrition import as_text
from monai_unlearn.cohort.document import Counts, Share, Unknown
from monai_unlearn.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.cohort.cohort import Cohort

_EXPECT_REMEDY = "Mend the rules, or the expectation if it was wrong."


def check(cohort: Cohort) -> None:
    """Refuse a cohort that forgets nothing, leaves nothing, or is not what its spec expects.

    Raises:
        CohortError: Something does not hold; the message lists all of it, and the attrition.
    """
    faults = [*_empty(cohort), *_undetermined(cohort), *_unexpected(cohort)]
    if faults:
        text = "\n".join(f"{cohort.spec.source}: {fault}" for fault in faults)
        raise CohortError(f"{text}\nImages, rule by rule:\n{as_text(cohort.attrition)}")


def _empty(cohort: Cohort) -> Iterator[str]:
    counts = cohort.images
    if not counts["forget"]:
        yield (
            f"the forget part of '{cohort.spec.name}' is empty ({counts['undetermined']} images are undetermined). "
            "The rules are listed with this message: compare the one that lets nothing through with the index."
        )
    if not counts["remain"]:
        yield (
            f"the remain part of '{cohort.spec.name}' is empty ({counts['undetermined']} images are undetermined). "
            "A model that keeps nothing cannot be revised: make the rules narrower, or the population wider."
        )


def _undetermined(cohort: Cohort) -> Iterator[str]:
    images, patients = cohort.images["undetermined"], cohort.patients["undetermined"]
    if cohort.spec.unknown is Unknown.FAIL and images:
        yield (
            f"expected no undetermined image (unknown: fail), found {images} of {patients} patients. Fill the tags "
            "that the rules ask for, or say what becomes of such images: exclude, forget or remain."
        )


def _unexpected(cohort: Cohort) -> Iterator[str]:
    expect = cohort.spec.expect
    if expect is None:
        return
    total = sum(cohort.images.values())
    found = {
        "images": (expect.images, cohort.images["forget"], "{} images in the forget part"),
        "patients": (expect.patients, cohort.patients["forget"], "{} patients in the forget part"),
        "share": (expect.share, cohort.images["forget"] / total if total else 0.0, "a share of {} to forget"),
    }
    for key, (bounds, value, text) in found.items():
        if bounds is not None and not _within(bounds, value):
            yield f"expected {text.format(_spelt(bounds))} (expect: {key}), found {value:.4g}. {_EXPECT_REMEDY}"


def _within(bounds: Counts | Share, value: float) -> bool:
    return (bounds.min is None or value >= bounds.min) and (bounds.max is None or value <= bounds.max)


def _spelt(bounds: Counts | Share) -> str:
    low = "" if bounds.min is None else f"at least {bounds.min}"
    high = "" if bounds.max is None else f"at most {bounds.max}"
    return " and ".join(text for text in (low, high) if text)
