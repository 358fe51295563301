"""Type-check each condition of a predicate: does its value fit the kind and unit of its term."""

from __future__ import annotations

import re
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.condition import (
    Between,
    Comparison,
    Condition,
    Contains,
    In,
    Like,
    Matches,
    Operator,
    Within,
)
from monai_unlearn.cohort.language.date_hint import date_hint
from monai_unlearn.cohort.language.logic import And, Not, Or
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.predicate import Exists, Missing, Predicate
from monai_unlearn.cohort.language.source import Fault, Source, Span, shown
from monai_unlearn.cohort.language.term import Call, Each, Field, Number, Term, asks_about_people
from monai_unlearn.cohort.typing.natural_order import natural_order
from monai_unlearn.cohort.typing.term_type import TermType, TypeFaultError, type_of
from monai_unlearn.cohort.typing.values import UnitError, coerce, expected
from monai_unlearn.errors import did_you_mean
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.cohort.typing.columns import Bound

# DICOM keywords of text whose values may be bare numbers.
_NUMBERS = {"DeviceSerialNumber"}
_PLURAL = {Kind.TEXT: "text", Kind.NUMBER: "numbers", Kind.AGE: "ages in years", Kind.DATE: "dates"}


class TypeChecker:
    """Type-checks the conditions of one spec, and collects their faults."""

    def __init__(self, bound: Mapping[str, Bound | None], value_sets: Mapping[str, Sequence[str]] | None) -> None:
        self._bound = bound
        self._sets = value_sets
        self.faults: list[Fault] = []

    def check(self, node: Predicate) -> None:
        """Type-check one node, not those below it.

        Raises:
            NotImplementedError: No handler is registered for this type of node.
        """
        self._check(node, self._type_of(node.term) if isinstance(node, Condition) else None)

    def _type_of(self, term: Term) -> TermType | None:
        try:
            return type_of(term, self._bound)
        except TypeFaultError as error:
            self._blame(error.term, f"{error}.")
            return None

    @singledispatchmethod
    def _check(self, node: Predicate, wanted: TermType | None) -> None:
        raise NotImplementedError(type(node).__name__)

    @_check.register(Exists)
    @_check.register(Missing)
    @_check.register(Not)
    @_check.register(And)
    @_check.register(Or)
    def _nothing_to_check(self, node: Predicate, wanted: TermType | None) -> None:
        """Accept nodes that compare nothing."""

    @_check.register(Comparison)
    def _comparison(self, node: Comparison, wanted: TermType | None) -> None:
        value = node.value
        if node.operator.orders:
            self._needs_order(node.term, wanted, node.operator.value, value)
        if node.operator is Operator.SAME:
            self._needs_text(node.term, wanted, "~=")
        if isinstance(value, Reference):
            if len(self._values(value)) > 1:
                self._blame(value, f"'@{value.name}' has several values: expected one. Write 'in' instead.")
            self._check_set(node, value, wanted)
        else:
            self._check_value(node, value, wanted)

    @_check.register(In)
    def _in(self, node: In, wanted: TermType | None) -> None:
        if isinstance(node.values, Reference):
            self._check_set(node, node.values, wanted)
            return
        for value in node.values:
            self._check_value(node, value, wanted)

    @_check.register(Between)
    def _between(self, node: Between, wanted: TermType | None) -> None:
        self._needs_order(node.term, wanted, "between", node.low, node.high)
        typed_values = [self._check_value(node, value, wanted) for value in (node.low, node.high)]
        if wanted and None not in typed_values:
            low, high = typed_values
            if wanted.kind is Kind.TEXT and wanted.made_by is None:
                low, high = self._in_order(node)
            if low > high:  # type: ignore[operator] # both are of the term's kind
                self._blame(node.low, "expected the smaller value first: nothing lies between these two.")

    def _in_order(self, node: Between) -> tuple[object, object]:
        """Return the numbers within both limits of a range of texts, which must be of one pattern."""
        low, high = (natural_order(value.text) for value in (node.low, node.high))
        if low is None or high is None:
            return ((), ())
        if low.pattern != high.pattern:
            self._blame(
                node.high,
                "expected two values of one pattern, which differ only in their numbers, such as CR-0004000 and "
                "CR-0005000.",
            )
            return ((), ())
        return (low.numbers, high.numbers)

    @_check.register(Contains)
    def _contains(self, node: Contains, wanted: TermType | None) -> None:
        self._needs_text(node.term, wanted, "contains")
        if wanted is not None and wanted.sides:
            self._check_value(node, node.value, wanted)

    @_check.register(Like)
    def _like(self, node: Like, wanted: TermType | None) -> None:
        self._needs_text(node.term, wanted, "like")
        if wanted is not None and wanted.sides:
            self._check_value(node, node.value, wanted)

    @_check.register(Matches)
    def _matches(self, node: Matches, wanted: TermType | None) -> None:
        self._needs_text(node.term, wanted, "matches")
        fault = _fault_of_pattern(node.pattern)
        if fault:
            span = node.at or Span(Source.of(f"/{node.pattern}/"), 0, 0)
            self.faults.append(span.fault(f"not a valid regular expression (RE2): {fault}."))

    @_check.register(Within)
    def _within(self, node: Within, wanted: TermType | None) -> None:
        if wanted is not None and wanted.kind is not Kind.DATE:
            self._blame(node.term, f"'{node.term}' holds {_PLURAL[wanted.kind]}: 'within … days' needs a date.")
        date = TermType(Kind.DATE)
        if isinstance(node.anchor, Reference):
            self._check_set(node, node.anchor, date)
        elif isinstance(node.anchor, Value):
            self._check_value(node, node.anchor, date)
        else:
            found = type_of(node.anchor, self._bound)
            if found is not None and found.kind is not Kind.DATE:
                self._blame(node.anchor, f"'{node.anchor.name}' holds {_PLURAL[found.kind]}: expected a date.")

    def _needs_order(self, term: Term, wanted: TermType | None, operator: str, *values: Value | Reference) -> None:
        """Blame a comparison by size with a text, unless every value has a natural order."""
        if wanted is None or wanted.kind is not Kind.TEXT or wanted.made_by is not None:
            return
        for value in values:
            texts = self._values(value) if isinstance(value, Reference) else (value.text,)
            for text in texts:
                is_out_of_place = text.isdigit() and self._holds_names(term)
                if is_out_of_place or natural_order(text) is None:
                    self._blame(term, _no_order(term, "" if is_out_of_place else text, operator))
                    return

    def _holds_names(self, term: Term) -> bool:
        """Return whether a field holds names of devices, protocols and the like, which are no bare numbers."""
        field = term.field if isinstance(term, Each) else term
        bound = self._bound.get(field.name) if isinstance(field, Field) else None
        names = vocabulary().dicom.keys() - _NUMBERS
        return bound is not None and all(column in names for column, _ in bound.columns)

    def _needs_text(self, term: Term, wanted: TermType | None, operator: str) -> None:
        if wanted is not None and wanted.kind is not Kind.TEXT:
            self._blame(term, f"'{term}' holds {_PLURAL[wanted.kind]}: {operator} needs text.")
        elif wanted is not None and wanted.made_by is not None:
            self._blame(term, f"{operator} needs a field of text, got what {wanted.made_by}() makes of it.")

    def _values(self, reference: Reference) -> Sequence[str]:
        if self._sets is None:
            return ()
        if reference.name not in self._sets:
            hint = did_you_mean(reference.name, self._sets)
            self._blame(reference, f"there is no '{shown(reference.name)}' under value_sets.{hint}")
        return self._sets.get(reference.name, ())

    def _check_set(self, node: Condition, reference: Reference, wanted: TermType | None) -> None:
        if wanted is None:
            self._values(reference)
            return
        number = 0
        try:
            for number, text in enumerate(self._values(reference), start=1):  # noqa: B007 - the message names it
                coerce(text, wanted)
        except ValueError:
            self._blame(
                reference,
                f"'{node.term}' holds {_PLURAL[wanted.kind]}: expected {expected(wanted)} for each value of "
                f"'@{reference.name}', got something else for value {number}.",
            )

    def _check_value(self, node: Condition, value: Value, wanted: TermType | None) -> object:
        if wanted is None:
            return None
        try:
            return coerce(value.text, wanted)
        except UnitError as error:
            self._blame(value, f"'{node.term}' {error}.")
        except ValueError:
            got = "this text" if asks_about_people(node) else f"'{shown(value.text)}'"
            field = (
                f" '{value.text}' is a field: subtract it on the left side, and compare with 0."
                if value.text in self._bound
                else ""
            )
            hint = date_hint(value.text) if wanted.kind is Kind.DATE and not asks_about_people(node) else ""
            self._blame(
                value,
                f"'{node.term}' holds {_PLURAL[wanted.kind]}: expected {expected(wanted)}, got {got}.{field}{hint}",
            )
        return None

    def _blame(self, part: Term | Value | Reference, message: str) -> None:
        span = _span_of(part) or Span(Source.of(str(part)), 0, 0)
        self.faults.append(span.fault(message, names_field=isinstance(part, Term)))


def _no_order(term: Term, text: str, operator: str) -> str:
    if re.search(r"[0-9]", text) is None:
        return f"'{term}' holds text, which has no order: expected ==, != or in, got {operator}."
    return (
        f"'{term}' holds text: {operator} compares whole numbers within texts, such as 0004000, but no decimals and "
        f"dates. For versions, write version({term}); numbers and dates need a column of their own kind."
    )


def _span_of(part: Term | Value | Reference) -> Span | None:
    """Return the place of a part; of a term, that of its first word."""
    if not isinstance(part, Term):
        return part.at
    return next((node.at for node in part.walk() if isinstance(node, Field | Number | Call) and node.at), None)


def _fault_of_pattern(pattern: str) -> str | None:
    """Return why DuckDB, whose RE2 will run the pattern, does not accept it; None where it does."""
    import duckdb

    try:
        with duckdb.connect(":memory:") as connection:
            connection.execute("SELECT regexp_matches('', ?)", [pattern])
    except duckdb.Error as error:
        return str(error).splitlines()[0].rpartition("Error: ")[2]
    return None
