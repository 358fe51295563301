"""Images that are not forgotten although nobody can rule out that they must be.

An image is doubtful where the rules, the scope or the sample leave it undetermined, and where its identity is in doubt:
it names no patient, it has a placeholder for one, or copies of it contradict each other. `unknown: remain` does not
make it less doubtful.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.resolve.part_rows import image_ids
from monai_unlearn.cohort.resolve.partition import partition
from monai_unlearn.cohort.spec.document import Unknown

if TYPE_CHECKING:
    from monai_unlearn.cohort.query.answers import Mask
    from monai_unlearn.cohort.resolve.cohort import Cohort

DOUBTFUL_IDENTITY = ("missing_patient_id", "placeholder_patient_id", "conflicting_duplicate")
"""Codes of the faults that leave open whose image it is."""


def doubtful_images(cohort: Cohort) -> frozenset[str]:
    """Return the identifiers of the images of a cohort that are doubtful, and are not forgotten."""
    answers, membership = cohort.answers, cohort.membership
    # A row may have several faults; each counts.
    doubtful = np.logical_or.reduce([answers.having(fault) for fault in DOUBTFUL_IDENTITY])
    kept = membership.remain | membership.undetermined
    found = (_undetermined(cohort) & ~membership.forget) | (kept & doubtful)
    return frozenset(image_ids(answers.image, found).to_pylist())


def _undetermined(cohort: Cohort) -> Mask:
    """Return which rows are undetermined, also those that `unknown: remain` lets remain, shape (rows,)."""
    if cohort.spec.unknown is not Unknown.REMAIN:
        return cohort.membership.undetermined
    membership, _ = partition(replace(cohort.spec, unknown=Unknown.EXCLUDE), cohort.answers)
    return membership.undetermined
