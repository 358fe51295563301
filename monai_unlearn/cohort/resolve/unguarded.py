"""A cohort as it comes out, before the guards have their word: for looking at, not for use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.query.query import run_query
from monai_unlearn.cohort.resolve.cohort import Cohort
from monai_unlearn.cohort.resolve.guards import check
from monai_unlearn.cohort.resolve.resolve import partition, question_of
from monai_unlearn.errors import CohortError

if TYPE_CHECKING:
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.index import Index


def resolve_unguarded(spec: CohortSpec, index: Index) -> Cohort:
    """Find the parts of an index, whatever they are.

    Raises:
        SpecError: A field or value does not fit the index.
        IndexReadError: The index cannot be read.
    """
    answers = run_query(index, question_of(spec, index))
    membership, attrition = partition(spec, answers)
    return Cohort(spec=spec, index=index, answers=answers, membership=membership, attrition=attrition.rows)


def refusal(cohort: Cohort) -> str | None:
    """Return why the guards refuse a cohort, without its attrition, or None where they let it pass."""
    try:
        check(cohort)
    except CohortError as error:
        return str(error).partition("\nImages, rule by rule:")[0]
    return None
