"""Warnings about a cohort: counts and names of classes, never a value of a single patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.source import shown
from monai_unlearn.cohort.spec.document import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monai_unlearn.cohort.resolve.counts import PartCounts
    from monai_unlearn.cohort.resolve.strata import Strata
    from monai_unlearn.cohort.spec.document import Sample


@dataclass(frozen=True)
class CohortWarning:
    """One sentence about a cohort.

    Attributes:
        text: The sentence.
        has_counts: Whether its numbers count images or patients; if not, they are part of a name.
    """

    text: str
    has_counts: bool = True


def warnings_of(
    counts: PartCounts,
    *,
    scope: Scope,
    sample: Sample | None,
    strata: Strata | None,
    kept_although_listed: int = 0,
    negated_lists: Sequence[str] = (),
) -> Iterator[CohortWarning]:
    """Yield the warnings about a cohort, in a fixed order.

    Args:
        counts: How many images, patients and classes each part has.
        scope: The scope of the spec.
        sample: The sample of the spec, if it has one.
        strata: What a stratified sample drew; None without one.
        kept_although_listed: How many images of people who withdrew their consent are not forgotten.
        negated_lists: The conditions that forget others than those who withdrew their consent.
    """
    yield from _about_parts(counts)
    yield from _about_lists(kept_although_listed, negated_lists)
    if scope in {Scope.PATIENT, Scope.STUDY} and (images := counts.staying_in_study):
        yield CohortWarning(f"{images} images stay behind in studies from which other images are forgotten.")
    for name in counts.classes_emptied:
        yield CohortWarning(f"The class {shown(name)} has no image left in the remain part.", has_counts=False)
    if sample is not None:
        yield from _about_size(sample, scope, counts)
    if sample is not None and strata is not None:
        yield from _about_strata(sample, strata)


def _about_parts(counts: PartCounts) -> Iterator[CohortWarning]:
    if images := counts.images["undetermined"]:
        yield CohortWarning(f"{images} images are undetermined and used for neither part.")
    if patients := counts.patients_in_both:
        yield CohortWarning(f"{patients} patients have images in the forget part and in the remain part.")
    if images := counts.remaining_without_patient:
        yield CohortWarning(
            f"{images} images of the remain part name no patient: they may belong to a patient who is forgotten."
        )


def _about_lists(kept: int, negated: Sequence[str]) -> Iterator[CohortWarning]:
    if kept:
        yield CohortWarning(
            f"{kept} images of people who are listed to be forgotten are not forgotten: the population, another "
            "condition or the sample leaves them out. To withdraw consent for all images of a person, make the list "
            "the only condition."
        )
    for condition in negated:
        yield CohortWarning(f"'{condition}' is negated: it forgets others than those who are listed.")


def _about_size(sample: Sample, scope: Scope, counts: PartCounts) -> Iterator[CohortWarning]:
    found = counts.images["forget"] if sample.by == "image" else counts.patients["forget"]
    if sample.count is not None and found < sample.count:
        yield CohortWarning(f"The sample asks for {sample.count} ({sample.by}), but the rules select only {found}.")
    if sample.by == "image" and scope is not Scope.IMAGE:
        yield CohortWarning(
            f"The sample by image may split a {scope.value} between parts, although the scope keeps it together."
        )


def _about_strata(sample: Sample, strata: Strata) -> Iterator[CohortWarning]:
    if strata.empty:
        yield CohortWarning(f"The sample draws nothing from {strata.empty} of its {strata.count} strata.")
    if strata.images_without_value:
        fields = " and ".join(sample.stratify or ())
        yield CohortWarning(
            f"{strata.images_without_value} images that the sample draws from have no value of {fields}: "
            "a missing value counts as a value, and makes strata of its own."
        )
