"""Resolve a spec on an index: query it, sort its images into parts, and let the guards check the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.predicate import Exists
from monai_unlearn.cohort.query.query import run_query
from monai_unlearn.cohort.query.statement import Question
from monai_unlearn.cohort.resolve.cohort import Cohort
from monai_unlearn.cohort.resolve.guards import check
from monai_unlearn.cohort.resolve.partition import partition
from monai_unlearn.cohort.typing.bind import bind
from monai_unlearn.cohort.typing.columns import Columns

if TYPE_CHECKING:
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.index import Index


def resolve(spec: CohortSpec, index: Index) -> Cohort:
    """Sort the images of an index into the forget, remain and undetermined part.

    Raises:
        SpecError: A field or value does not fit the index.
        CohortError: The cohort is empty, leaves nothing, or is not what the spec expects.
        IndexReadError: The index cannot be read.
    """
    cohort = resolve_unguarded(spec, index)
    check(cohort)
    return cohort


def resolve_unguarded(spec: CohortSpec, index: Index) -> Cohort:
    """Do the same without the guards: for reports on cohorts that must not be used.

    Raises:
        SpecError: A field or value does not fit the index.
        IndexReadError: The index cannot be read.
    """
    answers = run_query(index, question_of(spec, index))
    membership, attrition = partition(spec, answers)
    return Cohort(spec=spec, index=index, answers=answers, membership=membership, attrition=attrition.rows)


def question_of(spec: CohortSpec, index: Index) -> Question:
    """Return what a spec asks of an index.

    Raises:
        SpecError: A field or value does not fit the index.
    """
    listing = f'The columns of this index are listed under "columns" in {index.directory / "index.json"}'
    bound = bind(
        [*spec.predicates, *map(Exists, spec.stratify)],
        Columns(index.columns, index.units, listing),
        name=spec.source,
        value_sets=spec.value_sets,
    )
    return Question(
        population=spec.population, rules=spec.rules, bound=bound, value_sets=spec.value_sets, strata=spec.stratify
    )
