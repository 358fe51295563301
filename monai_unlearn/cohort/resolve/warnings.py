"""Warnings about a cohort: counts and names of classes, never a value of a single patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.source import shown
from monai_unlearn.cohort.spec.document import Scope
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from monai_unlearn.cohort.resolve.counts import PartCounts
    from monai_unlearn.cohort.resolve.strata import Strata
    from monai_unlearn.cohort.spec.document import Sample


@dataclass(frozen=True)
class CohortWarning:
    """One sentence about a cohort.

    Attributes:
        text: The sentence.
        uncounted: The sentence without its counts of images or patients, for readers who may not see small ones; None
            where its numbers count nothing, but are part of a name.
    """

    text: str
    uncounted: str | None = None

    @classmethod
    def of(cls, sentence: Callable[..., str], *counts: int) -> CohortWarning:
        """Write a sentence with its counts, and without them.

        Args:
            sentence: Returns the sentence, given each count, or the text that is shown in its place.
            counts: The counts.
        """
        return cls(sentence(*counts), sentence(*("…" for _ in counts)))


def warnings_of(
    counts: PartCounts,
    *,
    scope: Scope,
    sample: Sample | None,
    strata: Strata | None,
    kept_although_listed: int = 0,
    negated_lists: Sequence[str] = (),
    parts_of_identifiers: Sequence[str] = (),
) -> Iterator[CohortWarning]:
    """Yield the warnings about a cohort, in a fixed order.

    Args:
        counts: How many images, patients and classes each part has.
        scope: The scope of the spec.
        sample: The sample of the spec, if it has one.
        strata: What a stratified sample drew; None without one.
        kept_although_listed: How many images of people who withdrew their consent are not forgotten.
        negated_lists: The conditions that forget others than those who withdrew their consent.
        parts_of_identifiers: The conditions that name those who withdrew it by something else than a list.
    """
    yield from _about_parts(counts)
    yield from _about_lists(kept_although_listed, negated_lists, parts_of_identifiers)
    if scope in {Scope.PATIENT, Scope.STUDY} and (images := counts.staying_in_study):
        yield CohortWarning.of(_staying_behind, images)
    for name in counts.classes_emptied:
        yield CohortWarning(f"The class {shown(name)} has no image left in the remain part.")
    if sample is not None:
        yield from _about_size(sample, scope, counts)
    if sample is not None and strata is not None:
        yield from _about_strata(sample, strata)


def _about_parts(counts: PartCounts) -> Iterator[CohortWarning]:
    if images := counts.images["undetermined"]:
        yield CohortWarning.of(words_of_undetermined, images)
    if patients := counts.patients_in_both:
        yield CohortWarning.of(_in_both, patients)
    if images := counts.remaining_without_patient:
        yield CohortWarning.of(_nameless, images)


def _about_lists(kept: int, negated: Sequence[str], parts: Sequence[str]) -> Iterator[CohortWarning]:
    if kept:
        yield CohortWarning.of(_kept, kept)
    for condition in negated:
        yield CohortWarning(f"'{condition}' is negated: it forgets others than those who are listed.")
    for condition in parts:
        yield CohortWarning(
            f"'{condition}' names people by part of an identifier, or by a range; whether it finds everybody who "
            "withdrew consent, and nobody else, cannot be checked. List whole identifiers: patient in @NAME."
        )


def _about_size(sample: Sample, scope: Scope, counts: PartCounts) -> Iterator[CohortWarning]:
    found = counts.images["forget"] if sample.by == "image" else counts.patients["forget"]
    if sample.count is not None and found < sample.count:
        yield CohortWarning.of(
            lambda asked, got: f"The sample asks for {asked} ({sample.by}), but the rules select only {got}.",
            sample.count,
            found,
        )
    if sample.by == "image" and scope is not Scope.IMAGE:
        yield CohortWarning(
            f"The sample by image may split a {scope.value} between parts, although the scope keeps it together."
        )


def _about_strata(sample: Sample, strata: Strata) -> Iterator[CohortWarning]:
    if strata.empty:
        yield CohortWarning.of(_empty_strata, strata.empty, strata.count)
    if strata.images_without_value:
        fields = " and ".join(sample.stratify or ())
        yield CohortWarning.of(
            lambda images: (
                f"{_images(images, 'that the sample draws from has', 'that the sample draws from have')} no value of "
                f"{fields}: a missing value counts as a value, and makes strata of its own."
            ),
            strata.images_without_value,
        )


def words_of_undetermined(images: int | str) -> str:
    """Return that so many images are in neither part."""
    return f"{_images(images, 'is', 'are')} undetermined and used for neither part."


def _in_both(patients: int | str) -> str:
    have = counted(patients, "patient has", "patients have")
    return f"{have} images in the forget part and in the remain part."


def _nameless(images: int | str) -> str:
    name = _images(images, "of the remain part names", "of the remain part name")
    return f"{name} no patient, and may belong to a patient who is forgotten."


def _staying_behind(images: int | str) -> str:
    return f"{_images(images, 'stays', 'stay')} behind in studies from which other images are forgotten."


def _kept(images: int | str) -> str:
    listed = "of people who are listed to be forgotten"
    are = _images(images, f"{listed} is", f"{listed} are")
    return (
        f"{are} not forgotten: the population, another condition or the sample leaves such images out. To withdraw "
        "consent for all images of a person, make the list the only condition."
    )


def _empty_strata(empty: int | str, count: int | str) -> str:
    return f"The sample draws nothing from {empty} of {counted(count, 'stratum', 'strata')}."


def _images(images: int | str, one: str, many: str) -> str:
    return counted(images, f"image {one}", f"images {many}")
