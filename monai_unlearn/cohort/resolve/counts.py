"""How many images, patients and classes each part has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.resolve.missing_identifier import lacks_identifier
from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from monai_unlearn.cohort.query.answers import Answers, CategoricalColumn, Mask
    from monai_unlearn.cohort.resolve.membership import Membership

NO_LABEL = "(no label)"


@dataclass(frozen=True)
class PartCounts:
    """Counts of the parts of a cohort; an image without a patient counts as no patient.

    Attributes:
        answers: What each rule evaluates to, row by row.
        membership: Which row is in which part.
    """

    answers: Answers
    membership: Membership

    @cached_property
    def images(self) -> dict[str, int]:
        """How many images each part has."""
        return {part: int(mask.sum()) for part, mask in self.membership.items()}

    @cached_property
    def patients(self) -> dict[str, int]:
        """How many different patients each part has."""
        return {part: int(found.sum()) for part, found in self._among.items()}

    @cached_property
    def patients_in_both(self) -> int:
        """How many patients have images in the forget part and in the remain part."""
        return int(self._is_in_both.sum())

    @property
    def _is_in_both(self) -> Mask:
        return self._among["forget"] & self._among["remain"]

    @cached_property
    def _among(self) -> dict[str, Mask]:
        """For each part which patients have an image in it, shape (patients,)."""
        patients = self.answers.units["patient"]
        return {part: patients.among(mask) for part, mask in self.membership.items()}

    @cached_property
    def remaining_without_patient(self) -> int:
        """How many images of the remain part name no patient."""
        return int((self.membership.remain & lacks_identifier(self.answers.units["patient"])).sum())

    @cached_property
    def staying_in_study(self) -> int:
        """How many images stay behind in a study from which others are forgotten, in the population or not."""
        forget, study = self.membership.forget, self.answers.units["study"]
        return int((self.answers.readable & ~forget & study.sharing(forget)).sum())

    @cached_property
    def classes(self) -> dict[str, dict[str, int]]:
        """How many images of each class each part has; empty where the index has no classes."""
        label = self.answers.label
        if label is None:
            return {}
        counts = {part: _by_value(label, mask) for part, mask in self.membership.items()}
        names = sorted({name for table in counts.values() for name in table}, key=lambda name: (name == NO_LABEL, name))
        return {name: {part: counts[part].get(name, 0) for part in PARTS} for name in names}

    @cached_property
    def classes_emptied(self) -> list[str]:
        """The classes of the cohort that have no image in the remain part, sorted."""
        return [name for name, counts in self.classes.items() if name != NO_LABEL and not counts["remain"]]


def _by_value(column: CategoricalColumn, mask: Mask) -> dict[str, int]:
    counts = np.bincount(column.codes[mask] + 1, minlength=len(column.names) + 1).tolist()
    return {name: count for name, count in zip((NO_LABEL, *column.names), counts, strict=True) if count}
