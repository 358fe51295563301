"""Which images a rehearsal cohort may have: as many as the real one, of the same classes, and none of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.condition import Comparison, Operator
from monai_unlearn.cohort.language.node import Value
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.vocabulary.privacy import names_people

if TYPE_CHECKING:
    import pandas as pd

    from monai_unlearn.cohort import Cohort, CohortSpec

FACTOR = 2
"""A rehearsal cohort has at least half, and at most twice, the patients and the images of the real one."""
BY_PATIENTS = ("consent_withdrawal", "label_error")
"""Reasons whose cohorts are patients here and there, and not a value of some field."""


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What a cohort must be like.

    Attributes:
        patients: How many patients the real one has.
        images: How many images.
        classes: Its classes; empty where the index has no labels.
        image_ids: Its images, which no rehearsal cohort has.
        label: The column of the labels.
    """

    patients: int
    images: int
    classes: frozenset[str]
    image_ids: frozenset[str]
    label: str | None

    @classmethod
    def of(cls, cohort: Cohort) -> Likeness:
        """Return what a cohort must be like to be like this one."""
        label, frame = cohort.index.label, cohort.forget
        return cls(
            patients=patients_of(frame),
            images=len(frame),
            classes=classes_of(frame, label),
            image_ids=frozenset(frame["image_id"].astype(str)),
            label=label,
        )

    def differs(self, frame: pd.DataFrame) -> str | None:
        """Return in what images are unlike the real cohort's, in words, or None."""
        if shared := len(self.image_ids & set(frame["image_id"].astype(str))):
            return f"it shares {shared} images with the real cohort"
        sizes = (patients_of(frame), self.patients, "patients"), (len(frame), self.images, "images")
        for found, wanted, what in sizes:
            if not wanted <= FACTOR * found <= FACTOR**2 * wanted:
                return f"it has {found} {what}, the real one {wanted}"
        if (classes := classes_of(frame, self.label)) != self.classes:
            return f"it has {len(classes)} classes, the real one {len(self.classes)}, or others"
        return None


def attribute_of(spec: CohortSpec) -> str | None:
    """Return the field of a spec that forgets one value of it, such as a device; None for other rules.

    >>> from monai_unlearn.cohort import CohortSpec
    >>> text = "{schema_version: 1, name: a, reason: device_deprecation, forget: %s}"
    >>> [attribute_of(CohortSpec.parse(text % rule)) for rule in ("device == Cirrus", "device != Cirrus")]
    ['device', None]
    """
    rule = spec.forget
    if spec.reason.value in BY_PATIENTS or not isinstance(rule, Comparison) or not isinstance(rule.term, Field):
        return None
    is_one = rule.operator is Operator.EQUAL and isinstance(rule.value, Value) and not names_people(rule.term.name)
    return rule.term.name if is_one else None


def patients_of(frame: pd.DataFrame) -> int:
    """Return how many patients images are of; an image without one counts as no patient."""
    return int(frame["patient"].nunique())


def classes_of(frame: pd.DataFrame, label: str | None) -> frozenset[str]:
    """Return the classes of images."""
    return frozenset() if label is None else frozenset(frame[label].dropna().astype(str))
