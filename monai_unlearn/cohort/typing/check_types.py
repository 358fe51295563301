"""Whether each test of a predicate asks what can be asked of its term, and of what else it could be asked."""

from __future__ import annotations

from functools import singledispatchmethod
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.predicate import (
    Between,
    Comparison,
    Condition,
    Contains,
    In,
    Matches,
    Operator,
    Predicate,
    Within,
)
from monai_unlearn.cohort.language.source import Fault, Source, Span, shown
from monai_unlearn.cohort.language.term import Call, Field, Number, Term, asks_about_people
from monai_unlearn.cohort.typing.term_type import TermType, TypeFaultError, type_of
from monai_unlearn.cohort.typing.values import EXPECTED, UnitError, coerce
from monai_unlearn.errors import did_you_mean
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.cohort.typing.bound import Bound

_PLURAL = {Kind.TEXT: "text", Kind.NUMBER: "numbers", Kind.AGE: "ages in years", Kind.DATE: "dates"}


class Checker:
    """Checks the tests of one spec, and keeps the faults that it meets."""

    def __init__(self, bound: Mapping[str, Bound | None], value_sets: Mapping[str, Sequence[str]] | None) -> None:
        self._bound = bound
        self._sets = value_sets
        self.faults: list[Fault] = []

    def check(self, node: Predicate) -> None:
        """Check one test; what joins tests has nothing to check."""
        if not isinstance(node, Condition):
            return
        try:
            wanted = type_of(node.term, self._bound)
        except TypeFaultError as error:
            self._blame(error.term, f"{error}.")
            wanted = None
        self._check(node, node, wanted)

    @singledispatchmethod
    def _check(self, kind: Condition, node: Condition, wanted: TermType | None) -> None:
        raise NotImplementedError(type(node).__name__)

    @_check.register
    def _(self, _kind: Comparison, node: Comparison, wanted: TermType | None) -> None:
        value = node.value
        if node.operator.orders:
            self._needs_order(node.term, wanted, node.operator.value)
        if node.operator is Operator.SAME:
            self._needs_text(node.term, wanted, "~=")
        if isinstance(value, Reference):
            if len(self._values(value)) > 1:
                self._blame(value, f"'@{value.name}' has several values, of which none is meant more: write 'in'.")
            self._check_set(node, value, wanted)
        else:
            self._check_value(node, value, wanted)

    @_check.register
    def _(self, _kind: In, node: In, wanted: TermType | None) -> None:
        if isinstance(node.values, Reference):
            self._check_set(node, node.values, wanted)
            return
        for value in node.values:
            self._check_value(node, value, wanted)

    @_check.register
    def _(self, _kind: Between, node: Between, wanted: TermType | None) -> None:
        self._needs_order(node.term, wanted, "between")
        typed_values = [self._check_value(node, value, wanted) for value in (node.low, node.high)]
        if wanted and wanted.kind is not Kind.TEXT and None not in typed_values:
            low, high = typed_values
            if low > high:  # type: ignore[operator] # both are of the term's kind
                self._blame(node.low, "expected the smaller value first: nothing lies between these two.")

    @_check.register
    def _(self, _kind: Contains, node: Contains, wanted: TermType | None) -> None:
        self._needs_text(node.term, wanted, "contains")

    @_check.register
    def _(self, _kind: Matches, node: Matches, wanted: TermType | None) -> None:
        self._needs_text(node.term, wanted, "matches")
        fault = _fault_of_pattern(node.pattern)
        if fault:
            span = node.at or Span(Source.of(f"/{node.pattern}/"), 0, 0)
            self.faults.append(span.fault(f"no regular expression of RE2's kind: {fault}."))

    @_check.register
    def _(self, _kind: Within, node: Within, wanted: TermType | None) -> None:
        if wanted is not None and wanted.kind is not Kind.DATE:
            self._blame(node.term, f"'{node.term}' holds {_PLURAL[wanted.kind]}: 'within … days' asks of a date.")
        date = TermType(Kind.DATE)
        if isinstance(node.anchor, Reference):
            self._check_set(node, node.anchor, date)
        elif isinstance(node.anchor, Value):
            self._check_value(node, node.anchor, date)
        else:
            found = type_of(node.anchor, self._bound)
            if found is not None and found.kind is not Kind.DATE:
                self._blame(node.anchor, f"'{node.anchor.name}' holds {_PLURAL[found.kind]}: expected a date.")

    def _needs_order(self, term: Term, wanted: TermType | None, operator: str) -> None:
        if wanted is not None and wanted.kind is Kind.TEXT:
            self._blame(term, f"'{term}' holds text, which has no order: expected ==, != or in, got {operator}.")

    def _needs_text(self, term: Term, wanted: TermType | None, operator: str) -> None:
        if wanted is not None and wanted.kind is not Kind.TEXT:
            self._blame(term, f"'{term}' holds {_PLURAL[wanted.kind]}: {operator} asks of text.")

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
                f"'{node.term}' holds {_PLURAL[wanted.kind]}: expected {EXPECTED[wanted.kind]} for each value of "
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
            self._blame(
                value,
                f"'{node.term}' holds {_PLURAL[wanted.kind]}: expected {EXPECTED[wanted.kind]}, got {got}.{field}",
            )
        return None

    def _blame(self, part: Term | Value | Reference, message: str) -> None:
        span = _span_of(part) or Span(Source.of(str(part)), 0, 0)
        self.faults.append(span.fault(message, names_field=isinstance(part, Term)))


def _span_of(part: Term | Value | Reference) -> Span | None:
    """Return where a part stands: for a term, its first word."""
    if not isinstance(part, Term):
        return part.at
    return next((node.at for node in part.walk() if isinstance(node, Field | Number | Call) and node.at), None)


def _fault_of_pattern(pattern: str) -> str | None:
    """Ask DuckDB, whose RE2 will run it, whether a pattern is a regular expression."""
    import duckdb

    try:
        with duckdb.connect(":memory:") as connection:
            connection.execute("SELECT regexp_matches('', ?)", [pattern])
    except duckdb.Error as error:
        return str(error).splitlines()[0].rpartition("Error: ")[2]
    return None
