"""Predicates meet an index: each field finds its columns, each value its type, or a fault says why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.predicate import Comparison, Exists, Field, In, Missing, Predicate, Value, names_people
from monai_unlearn.cohort.source import Fault, Source, Span, combined, shown
from monai_unlearn.cohort.values import EXPECTED, typed
from monai_unlearn.errors import did_you_mean
from monai_unlearn.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_DATES = {Kind.DATE, Kind.DATETIME}


@dataclass(frozen=True)
class Bound:
    """What a field stands for in one index: the first of these columns that an image has.

    Attributes:
        columns: The columns, each with the kind of its own values.
        kind: What the values compare as; datetimes compare as dates.
    """

    columns: tuple[tuple[str, Kind], ...]
    kind: Kind


def bind(predicates: Iterable[Predicate], columns: Mapping[str, Kind], *, name: str, listing: str) -> dict[str, Bound]:
    """Return what each field of the predicates stands for.

    Args:
        predicates: The predicates of one spec.
        columns: The columns of an index.
        name: How messages name the spec.
        listing: Where its author finds the columns listed, as an order to them.

    Raises:
        SpecError: A field is not in the index, or is compared with what it cannot be compared with; every
            such fault is in the message.
    """
    binder = _Binder(columns, listing)
    for predicate in predicates:
        for node in predicate.walk():
            binder.visit(node)
    if binder.faults:
        raise combined(binder.faults, name)
    return {field: bound for field, bound in binder.bound.items() if bound is not None}


class _Binder:
    def __init__(self, columns: Mapping[str, Kind], listing: str) -> None:
        self._columns = columns
        self._listing = listing
        self.bound: dict[str, Bound | None] = {}
        self.faults: list[Fault] = []

    def visit(self, node: Predicate) -> None:
        """Bind a node's field, and check what it is compared with."""
        if not isinstance(node, Comparison | In | Exists | Missing):
            return
        bound = self._bind(node.field)
        if bound is None:
            return
        if isinstance(node, Comparison) and node.operator.orders and bound.kind is Kind.TEXT:
            self._blame(
                node.field,
                f"'{node.field.name}' holds text, which has no order: expected ==, != or in, "
                f"got {node.operator.value}.",
            )
        for value in _values(node):
            self._check(node.field, value, bound.kind)

    def _bind(self, field: Field) -> Bound | None:
        if field.name not in self.bound:
            try:
                self.bound[field.name] = self._find(field.name)
            except LookupError as error:
                self.bound[field.name] = None
                self._blame(field, str(error.args[0]))
        return self.bound[field.name]

    def _find(self, name: str) -> Bound:
        """Look for a column, then for an alias; the error's argument is the message."""
        if name in self._columns:
            return _bound_to([(name, self._columns[name])], name)
        aliases = vocabulary().aliases
        if name not in aliases:
            raise LookupError(self._unknown(name))
        present = [(keyword, self._columns[keyword]) for keyword in aliases[name] if keyword in self._columns]
        if not present:
            raise LookupError(
                f"'{name}' stands for {' or '.join(aliases[name])}, which this index does not have. {self._listing}."
            )
        return _bound_to(present, name)

    def _unknown(self, name: str) -> str:
        if name in vocabulary().dicom:
            return f"'{name}' is a DICOM keyword that this index does not have. {self._listing}."
        usable = [alias for alias, keywords in vocabulary().aliases.items() if self._columns.keys() & set(keywords)]
        hint = did_you_mean(name, [*self._columns, *usable])
        return f"unknown field '{shown(name)}'.{hint} {self._listing}."

    def _check(self, field: Field, value: Value, kind: Kind) -> None:
        try:
            typed(value.text, kind)
        except ValueError:
            got = "this text" if names_people(field.name) else f"'{shown(value.text)}'"
            self._blame(value, f"'{field.name}' holds {_plural(kind)}: expected {EXPECTED[kind]}, got {got}.")

    def _blame(self, part: Field | Value, message: str) -> None:
        span = part.at or Span(Source.of(str(part)), 0, 0)
        self.faults.append(span.fault(message, names_field=isinstance(part, Field)))


def _values(node: Comparison | In | Exists | Missing) -> Iterator[Value]:
    if isinstance(node, Comparison):
        yield node.value
    elif isinstance(node, In):
        yield from node.values


def _plural(kind: Kind) -> str:
    return {Kind.NUMBER: "numbers", Kind.AGE: "ages in years"}.get(kind, "dates")


def _bound_to(columns: list[tuple[str, Kind]], name: str) -> Bound:
    kinds = {Kind.DATE if kind in _DATES else kind for _, kind in columns}
    if len(kinds) > 1:
        names = " and ".join(column for column, _ in columns)
        raise LookupError(
            f"'{name}' stands for {names}, which this index holds as values of different kinds. "
            "Name the one that is meant."
        )
    return Bound(tuple(columns), kinds.pop())
