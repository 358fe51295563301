"""Explain a spec: in words, in SQL, and field by field with what the index has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.english import sentence
from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic
from monai_unlearn.cohort.language.term import asks_about_people, statistics_of
from monai_unlearn.cohort.query.query import count_known, count_present, count_several, statement_of
from monai_unlearn.cohort.resolve.listed_values import matches_of
from monai_unlearn.cohort.resolve.resolve import question_of
from monai_unlearn.cohort.resolve.variants import variants_of
from monai_unlearn.cohort.spec.document import Implausible, Scope, Unknown
from monai_unlearn.cohort.typing.bind import examine
from monai_unlearn.cohort.typing.columns import Columns
from monai_unlearn.cohort.typing.compared import compared
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.plausible import LAST_PLACEHOLDER, OLDEST
from monai_unlearn.index.store.store import read_document
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.folding import folded
from monai_unlearn.vocabulary.units import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.cohort.language.term import Call
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.index import Index

_UNKNOWN = {
    Unknown.EXCLUDE: "is undetermined: it is used neither to forget nor to remain.",
    Unknown.FORGET: "is forgotten.",
    Unknown.REMAIN: "remains.",
    Unknown.FAIL: "stops the run: there must be no such image.",
}


def explain(spec: CohortSpec, index: Index | None = None) -> dict[str, Any]:
    """Return a spec in words, and with an index its SQL statement and its fields, as plain values.

    Raises:
        SpecError: A field or value does not fit the index.
        IndexReadError: The index cannot be read.
    """
    document: dict[str, Any] = {
        "name": spec.name,
        "reason": spec.reason.value,
        "digest": spec.digest,
        "population": None if spec.population is None else sentence(spec.population).to_dict(),
        "rules": [{"text": rule.render(private=True), "words": sentence(rule).to_dict()} for rule in spec.rules],
        "value_sets": {name: len(set(map(folded, values))) for name, values in spec.value_sets.items()},
        "names": _names(spec),
        "then": list(_then(spec)),
    }
    if index is None:
        bound, _ = examine(spec.predicates, Columns.of_any_index(), value_sets=spec.value_sets)
        nothing = dict.fromkeys(("variants", "sql", "fields", "value_lists", "notes"))
        return {**document, "compared": _compared(spec, bound), **nothing}
    question = question_of(spec, index)
    statement = statement_of(index, question)
    hidden = any(map(asks_about_people, spec.predicates))
    counts = count_present(index, question.bound)
    known = count_known(index, question.bound, question.plausibility)
    several = count_several(index, question.bound)
    fields = [
        {**_field(name, found, index, counts), "in_doubt": counts[name] - known[name], "several": several[name]}
        for name, found in question.bound.items()
    ]
    parameters = ["…" if hidden and isinstance(value, str | list) else value for value in statement.parameters]
    return {
        **document,
        "compared": _compared(spec, question.bound),
        "variants": [entry.to_dict() for entry in variants_of(index, question)],
        "sql": {"statement": statement.text, "parameters": parameters},
        "fields": fields,
        "value_lists": [match.to_dict() for match in matches_of(spec, index, question)],
        "notes": _notes(index),
    }


def _compared(spec: CohortSpec, bound: Mapping[str, Bound | None]) -> list[dict[str, Any]]:
    return [part.to_dict() for part in compared(spec.predicates, bound)]


def _names(spec: CohortSpec) -> dict[str, list[str]]:
    """Return what aliases stand for in any index: DICOM keywords, tried in turn."""
    bound, _ = examine(spec.predicates, Columns.of_any_index(), value_sets=spec.value_sets)
    columns = {name: [column for column, _ in found.columns] for name, found in bound.items() if found is not None}
    return {name: found for name, found in columns.items() if found != [name]}


def _field(name: str, found: Bound, index: Index, counts: dict[str, int]) -> dict[str, Any]:
    columns = _columns(found)
    age = found.kind is Kind.AGE
    return {
        "field": name,
        "columns": columns,
        "kind": found.kind.value,
        "unit": "year" if age else None if found.unit is None else spelled(found.unit),
        "origin": [index.origins.get(column) for column in columns],
        **({} if found.between is None else {"between": [_columns(part) for part in found.between]}),
        "images": counts[""],
        "missing": counts[""] - counts[name],
    }


def _columns(found: Bound) -> list[str]:
    return [column for column, _ in found.columns]


def _notes(index: Index) -> dict[str, int]:
    """Return how many images of the index have each note, by its code."""
    faults = read_document(index.directory).get("faults", {})
    return {fault.code: faults[fault.code] for fault in Fault if fault.usable and fault.code in faults}


def _about_doubt(spec: CohortSpec) -> Iterator[str]:
    """Yield what happens to dates and ages in doubt, where the spec asks about dates or ages."""
    bound, _ = examine(spec.predicates, Columns.of_any_index(), value_sets=spec.value_sets)
    kinds = {found.kind for found in bound.values() if found is not None}
    keeps = spec.implausible is Implausible.KEEP
    fate = "counts as what it says" if keeps else "is unknown"
    if Kind.DATE in kinds:
        yield (
            f"A date of {LAST_PLACEHOLDER} or before, or after the day on which the index was built, is implausible: "
            f"it {fate} (implausible: {spec.implausible.value})."
        )
        yield (
            "An invalid date is unknown, and no other tag takes its place. A date without its day or month counts "
            "where all its days agree, and is unknown otherwise."
        )
    if Kind.AGE in kinds:
        yield (
            f"An age of 000Y, or of {OLDEST:g} years or more, is implausible: it {fate} "
            f"(implausible: {spec.implausible.value})."
        )


def _then(spec: CohortSpec) -> Iterator[str]:
    """Yield what happens after the rules, in order."""
    yield "An image for which this does not hold remains."
    yield f"An image for which this is unknown, because a value is missing, {_UNKNOWN[spec.unknown]}"
    yield from _about_doubt(spec)
    if spec.scope is not Scope.IMAGE:
        yield from _about_scope(spec)
    if spec.sample is not None:
        size = f"{spec.sample.fraction:.0%}" if spec.sample.fraction is not None else f"{spec.sample.count}"
        yield f"Of the selected {spec.sample.by}s, {size} are drawn (seed {spec.sample.seed}); the others remain."
    for call in statistics_of([spec.forget]):
        groups = f", separately for each {' and '.join(map(str, call.by))}" if call.by else ""
        yield (
            f"{call.function} is {_meaning(call)}. It is computed over the readable images of the population{groups}, "
            "so it changes when the index grows."
        )


def _about_scope(spec: CohortSpec) -> Iterator[str]:
    unit = spec.scope.value
    yield f"Forgetting one image forgets all images of its {unit}."
    if spec.unknown is Unknown.EXCLUDE:
        yield f"If no image of a {unit} is forgotten but one is undetermined, all of them are undetermined."


def _meaning(call: Call) -> str:
    function = FUNCTIONS[call.function]
    return function.meaning if isinstance(function, Statistic) else ""
