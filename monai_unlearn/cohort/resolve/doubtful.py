"""Images that are not forgotten although nobody can rule out that they must be.

An image is doubtful where the rules, the scope or the sample leave it undetermined, and where its identity is in doubt:
it names no patient, it has a placeholder for one, or copies of it contradict each other. `unknown: remain` does not
make it less doubtful.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.cohort.resolve.partition import partition
from monai_unlearn.cohort.spec.document import Unknown

if TYPE_CHECKING:
    import pandas as pd

    from monai_unlearn.cohort.query.answers import Mask
    from monai_unlearn.cohort.resolve.cohort import Cohort

DOUBTFUL_IDENTITY = ("missing_patient_id", "placeholder_patient_id", "conflicting_duplicate")
"""Codes of the faults that leave open whose image it is."""


def doubtful_images(cohort: Cohort) -> frozenset[str]:
    """Return the identifiers of the images of a cohort that are doubtful, and are not forgotten."""
    image, forget = cohort.answers.image, cohort.membership.forget
    undetermined = image.chosen(image.among(_undetermined(cohort) & ~forget))
    kept = {*cohort.image_ids["remain"], *cohort.image_ids["undetermined"]}
    return frozenset(undetermined) | (kept & _of_doubtful_identity(cohort))


def _undetermined(cohort: Cohort) -> Mask:
    """Return which rows are undetermined, also those that `unknown: remain` lets remain, shape (rows,)."""
    if cohort.spec.unknown is not Unknown.REMAIN:
        return cohort.membership.undetermined
    membership, _ = partition(replace(cohort.spec, unknown=Unknown.EXCLUDE), cohort.answers)
    return membership.undetermined


def _of_doubtful_identity(cohort: Cohort) -> set[str]:
    # A row may have several faults; `fault` is the gravest of them alone.
    column = "faults" if "faults" in cohort.index.columns else "fault"
    frame = cohort.index.frame(["image_id", column])
    faults: pd.Series[str] = frame[column].fillna("")
    doubtful = faults.map(lambda codes: not set(DOUBTFUL_IDENTITY).isdisjoint(codes.split("\\")))
    return set(frame.loc[doubtful.astype(bool), "image_id"])
