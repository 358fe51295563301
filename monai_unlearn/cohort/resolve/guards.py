"""The guards: what must hold of a cohort before anybody uses it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.source import shown
from monai_unlearn.cohort.resolve.attrition import as_text
from monai_unlearn.cohort.resolve.counts import NO_LABEL
from monai_unlearn.cohort.resolve.listed_values import needs_matches, unmatched
from monai_unlearn.cohort.resolve.value_list_words import near_words
from monai_unlearn.cohort.resolve.variants import near_values
from monai_unlearn.cohort.spec.document import Counts, Share, Unknown
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.cohort.resolve.cohort import Cohort

_SHOWN_CLASSES = 10
_EXPECT_REMEDY = "Fix the rules, or the expectation if it was wrong."


def check(cohort: Cohort) -> None:
    """Refuse a cohort that forgets nothing, leaves nothing, or is not what its spec expects.

    Raises:
        CohortError: Something does not hold; the message lists all of it, and the attrition.
    """
    if reason := refusal(cohort):
        # Logs travel: the rules are shown as they may leave the site.
        raise CohortError(f"{reason}\nImages, rule by rule:\n{as_text(cohort.passed_on.attrition)}")


def refusal(cohort: Cohort) -> str | None:
    """Return why the guards refuse a cohort, one line per reason, or None where they let it pass."""
    faults = [*_unmatched(cohort), *_empty(cohort), *_undetermined(cohort), *_unexpected(cohort)]
    return "\n".join(f"{cohort.spec.source}: {fault}" for fault in faults) or None


def _unmatched(cohort: Cohort) -> Iterator[str]:
    if needs_matches(cohort.spec):
        yield from unmatched(cohort.spec, cohort.value_matches, cohort.index, cohort.bound)


def _empty(cohort: Cohort) -> Iterator[str]:
    counts = cohort.images
    if not counts["forget"]:
        yield (
            f"the forget part of '{cohort.spec.name}' is empty (undetermined images: {counts['undetermined']:,}). "
            "The attrition shows which rule leaves no image: check its values against the index."
            f"{''.join(f' {sentence}' for sentence in _near(cohort))}"
        )
    if not counts["remain"]:
        yield (
            f"the remain part of '{cohort.spec.name}' is empty (undetermined images: {counts['undetermined']:,}). "
            "A model that keeps nothing cannot be revised: make the rules narrower, or the population wider."
        )


def _near(cohort: Cohort) -> Iterator[str]:
    """Yield what a spec that forgets nobody may have meant; a list that must match has said so."""
    yield from near_values(cohort.index, cohort.question)
    for match in () if needs_matches(cohort.spec) else cohort.value_matches:
        if words := near_words(match.near).strip():
            yield f"{match.source.label} ({match.source.term.render(private=True)}): {words}"


def _undetermined(cohort: Cohort) -> Iterator[str]:
    images, patients = cohort.images["undetermined"], cohort.patients["undetermined"]
    if cohort.spec.unknown is Unknown.FAIL and images:
        yield (
            f"expected no undetermined image (unknown: fail), found some (images: {images:,}, patients: {patients:,}). "
            "Fill in the tags that the rules need, or write what becomes of such images: unknown: exclude, "
            "forget or remain."
        )


def _unexpected(cohort: Cohort) -> Iterator[str]:
    expect = cohort.spec.expect
    if expect is None:
        return
    images, patients, total = cohort.images["forget"], cohort.patients["forget"], sum(cohort.images.values())
    share = images / total if total else 0.0
    found = {
        "images": (expect.images, images, _said(expect.images, "{} in the forget part", "image"), f"{images}"),
        "patients": (
            expect.patients,
            patients,
            _said(expect.patients, "{} in the forget part", "patient"),
            f"{patients}",
        ),
        "share": (
            expect.share,
            share,
            _said(expect.share, "a share of {} to forget"),
            f"{share:.6g} (images: {images} of {total})",
        ),
    }
    for key, (bounds, value, text, got) in found.items():
        if bounds is not None and not _within(bounds, value):
            yield f"expected {text} (expect: {key}), found {got}. {_EXPECT_REMEDY}"
    if expect.remain_per_class is not None:
        yield from _scarce(cohort, expect.remain_per_class.min)


def _scarce(cohort: Cohort, least: int) -> Iterator[str]:
    """Yield the classes that keep too few images; without classes, the expectation cannot be checked."""
    if cohort.index.label is None:
        yield (
            "expect: remain_per_class needs classes, and this index does not say which column holds them. "
            "Build it again with --label FIELD, or leave this expectation out."
        )
        return
    remain = {name: counts["remain"] for name, counts in cohort.counts.classes.items() if name != NO_LABEL}
    if not remain:
        yield (
            f"expect: remain_per_class needs classes, and no image of the cohort has a value of "
            f"'{cohort.index.label}'. Fill the column, or leave this expectation out."
        )
    if few := {name: images for name, images in remain.items() if images < least}:
        shown_few = ", ".join(f"{images} of '{shown(name)}'" for name, images in islice(few.items(), _SHOWN_CLASSES))
        left = len(few) - _SHOWN_CLASSES
        more = f" and {counted(left, 'more class', 'more classes')}" if left > 0 else ""
        yield (
            f"expected at least {counted(least, 'image')} of every class in the remain part (expect: "
            f"remain_per_class), found {shown_few}{more}. {_EXPECT_REMEDY}"
        )


def _within(bounds: Counts | Share, value: float) -> bool:
    return (bounds.min is None or value >= bounds.min) and (bounds.max is None or value <= bounds.max)


def _said(bounds: Counts | Share | None, text: str, noun: str = "") -> str:
    """Return bounds in words, which stand for `{}` in a text: a bound of one is in the singular."""
    low, high = (None, None) if bounds is None else (bounds.min, bounds.max)
    said = [f"{words} {bound}" for words, bound in (("at least", low), ("at most", high)) if bound is not None]
    last = low if high is None else high
    units = f" {noun if last == 1 else f'{noun}s'}" if noun else ""
    return text.format(" and ".join(said) + units)
