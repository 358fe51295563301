"""Resolve a spec on an index: query it, sort its images into parts, and let the guards check the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.predicate import Exists
from monai_unlearn.cohort.query.field_sql import Plausibility
from monai_unlearn.cohort.query.query import run_query
from monai_unlearn.cohort.query.statement import Question
from monai_unlearn.cohort.resolve.cohort import Cohort
from monai_unlearn.cohort.resolve.guards import check
from monai_unlearn.cohort.resolve.partition import partition
from monai_unlearn.cohort.resolve.pseudonymised import hash_identifiers, read_key, refuse_plain
from monai_unlearn.cohort.spec.document import Implausible
from monai_unlearn.cohort.typing.bind import bind
from monai_unlearn.cohort.typing.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.cohort.typing.columns import Bound
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
    question = question_of(spec, index)
    answers = run_query(index, question)
    membership, attrition = partition(spec, answers)
    return Cohort(
        spec=spec,
        index=index,
        question=question,
        answers=answers,
        membership=membership,
        attrition=attrition.rows,
        bound=question.bound,
    )


def question_of(spec: CohortSpec, index: Index) -> Question:
    """Return what a spec asks of an index.

    Raises:
        SpecError: A field or value does not fit the index, or an identifier is not one of its pseudonyms.
    """
    bound = _bound(spec, index)
    refuse_plain(spec, index, bound)
    return Question(
        population=spec.population,
        rules=spec.rules,
        bound=bound,
        value_sets=spec.value_sets,
        strata=spec.stratify,
        plausibility=Plausibility(latest=index.latest_plausible, keep=spec.implausible is Implausible.KEEP),
    )


def with_pseudonyms(spec: CohortSpec, index: Index, keyfile: Path | str | None) -> CohortSpec:
    """Return a spec for a pseudonymised index, with pseudonyms in place of the identifiers that it lists.

    The digest of the result is that of the pseudonyms: what is frozen with it names nobody.

    Args:
        spec: The spec.
        index: The index.
        keyfile: The file of the key that the index was built with; None leaves the spec as it is.

    Raises:
        SpecError: A field or value does not fit the index.
        IndexReadError: The index has no pseudonyms, or those of another key, or the file is no key.
    """
    if keyfile is None:
        return spec
    key = read_key(keyfile, index)
    return hash_identifiers(spec, index, _bound(spec, index), key)


def bound_in(
    index: Index,
    predicates: Iterable[Predicate],
    *,
    name: str,
    value_sets: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Bound]:
    """Return the columns that an index has for each field of some predicates.

    Args:
        index: The index.
        predicates: The predicates.
        name: How messages name the spec.
        value_sets: The values behind each `@name`.

    Raises:
        SpecError: A field or value does not fit the index.
    """
    listing = f'The columns of this index are listed under "columns" in {index.directory / "index.json"}'
    columns = Columns(index.columns, index.units, listing, index.label, index.tags)
    return bind(predicates, columns, name=name, value_sets=value_sets)


def _bound(spec: CohortSpec, index: Index) -> dict[str, Bound]:
    predicates = [*spec.predicates, *map(Exists, spec.stratify)]
    return bound_in(index, predicates, name=spec.source, value_sets=spec.value_sets)
