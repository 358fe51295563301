"""Notes: what is odd about images that count all the same, as counts of images by code, and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.faults import Fault, split
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.cohort.query.answers import Answers


def notes_of(answers: Answers) -> dict[str, int]:
    """Return how many images of the population have each note, by its code, in the order of `Fault`.

    Images that may belong to the population count too.
    """
    population = answers.readable & ~answers.population.false
    counts: dict[str, int] = {}
    for codes, count in answers.faults.counts(population).items():
        for code in split(codes):
            counts[code] = counts.get(code, 0) + count
    return {fault.code: counts[fault.code] for fault in Fault if fault.usable and counts.get(fault.code)}


def words_of_notes(notes: Mapping[str, int | str]) -> Iterator[str]:
    """Yield each note as a sentence.

    Args:
        notes: The number of images by code, or what is shown in its place.

    >>> print(*words_of_notes({"implausible_age": 1200}))
    implausible_age (1,200 images): contains an age of 000Y, or of 120 years or more; it counts, but its age is \
unknown without implausible: keep.
    """
    for code, count in notes.items():
        yield f"{code} ({counted(count, 'image')}): {Fault.of(code).sentence}."
