"""Bind predicates to an index: find the columns of each field, or report the fields that it does not have.

The message for a misspelt field is made here, in `_unknown_field`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.predicate import Predicate
from monai_unlearn.cohort.language.source import Fault, Source, Span, combined, shown
from monai_unlearn.cohort.language.syntax_errors import ODD_NAME
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.typing.check_types import TypeChecker
from monai_unlearn.cohort.typing.columns import SEVERAL, Bound, Columns, has_several, is_complete, name_in_an_index
from monai_unlearn.errors import did_you_mean
from monai_unlearn.vocabulary.fields import Kind, vocabulary
from monai_unlearn.vocabulary.folding import letters
from monai_unlearn.vocabulary.laterality import LATERALITY
from monai_unlearn.vocabulary.units import YEAR, Unit, parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_DATES = {Kind.DATE, Kind.DATETIME}
# Value representations of bytes, pixels among them (DICOM PS3.5 section 6.2).
_NO_VALUES = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}


def bind(
    predicates: Iterable[Predicate],
    columns: Columns,
    *,
    name: str,
    value_sets: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Bound]:
    """Return the columns of each field in the predicates.

    Args:
        predicates: The predicates of one spec.
        columns: The columns of an index.
        name: How messages name the spec.
        value_sets: The values behind each `@name`.

    Raises:
        SpecError: The index lacks a field, or a field is compared with a value that does not fit it; the message
            lists every such fault.
    """
    bound, faults = examine(predicates, columns, value_sets=value_sets or {})
    if faults:
        raise combined(faults, name)
    return {field: found for field, found in bound.items() if found is not None}


def examine(
    predicates: Iterable[Predicate], columns: Columns, *, value_sets: Mapping[str, Sequence[str]] | None
) -> tuple[dict[str, Bound | None], list[Fault]]:
    """Return the columns of each field, None where they are unknown, and every fault."""
    binder = _Binder(columns)
    predicates = list(predicates)
    for predicate in predicates:
        for node in predicate.walk():
            if isinstance(node, Field):
                binder.bind_field(node)
    checker = TypeChecker(binder.bound, value_sets)
    for predicate in predicates:
        for node in predicate.walk():
            if isinstance(node, Predicate):
                checker.check(node)
    return binder.bound, [*binder.faults, *checker.faults]


class _Binder:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.bound: dict[str, Bound | None] = {}
        self.faults: list[Fault] = []

    def bind_field(self, field: Field) -> None:
        """Find the columns of a field, once per name."""
        if field.name in self.bound:
            return
        try:
            self.bound[field.name] = self._find(field.name)
        except LookupError as error:
            self.bound[field.name] = None
            if self._columns.listing is not None:
                span = field.at or Span(Source.of(str(field)), 0, 0)
                self.faults.append(span.fault(str(error.args[0]), names_field=True))

    def _find(self, name: str) -> Bound:
        """Look for a column of this name, then for an alias; the LookupError's argument is the message."""
        kinds = self._columns.kinds
        if name in kinds:
            several = SEVERAL.get(name, name)
            return self._bound_to([several if several in kinds else name], name)
        aliases = vocabulary().aliases
        if name not in aliases:
            # Without an index nobody reads the message; finding it may load what knows the tags of DICOM.
            raise LookupError(name if self._columns.listing is None else self._unknown_field(name))
        present = [keyword for keyword in aliases[name] if keyword in kinds]
        between = self._between(name)
        if between is not None:
            own = self._bound_to(present, name) if present else Bound((), Kind.AGE, YEAR)
            return replace(own, between=between) if own.kind is Kind.AGE else own
        if not present:
            raise LookupError(
                f"'{name}' is an alias for {' or '.join(aliases[name])}, which this index does not have. "
                f"{self._columns.listing}."
            )
        return self._bound_to(present, name)

    def _between(self, name: str) -> tuple[Bound, Bound] | None:
        """Return the dates that an age is computed from, where the index has both."""
        born, day = vocabulary().ages.get(name, (None, None))
        if born is None or day is None or self._columns.kinds.get(born) not in _DATES:
            return None
        try:
            found = (self._find(born), self._find(day))
        except LookupError:
            return None
        return found if all(bound.kind is Kind.DATE for bound in found) else None

    def _unknown_field(self, name: str) -> str:
        """Return the message for a name that is neither a column nor an alias, such as a misspelt one."""
        columns = self._columns
        if name in vocabulary().dicom:
            return f"'{name}' is a DICOM keyword that this index does not have. {columns.listing}."
        if name_in_an_index(name) not in columns.kinds and (tag := _other_tag(name)):
            return (
                f"'{shown(name)}' is a DICOM tag that this index does not have. Where the files have it, index it "
                f"with: monai-unlearn index build … --tag {tag}. {columns.listing}."
            )
        if name in vocabulary().derived:
            return f"'{name}' is a column of indexes of DICOM files, which this index does not have. {columns.listing}."
        usable = [alias for alias, keywords in vocabulary().aliases.items() if columns.kinds.keys() & set(keywords)]
        hint = did_you_mean(name, [*columns.kinds, *usable])
        hint = self._other_name(name) or hint
        odd = next((column for column in columns.kinds if column.startswith(f"{name}-")), None)
        if odd is not None:  # without backquotes, `eye-label` parses as a difference
            hint = f" {ODD_NAME}: `{odd}`."
        return f"unknown field '{shown(name)}'.{hint} {columns.listing}."

    def _other_name(self, name: str) -> str:
        """Return what this index calls a field that authors know under another name, as a sentence after a space."""
        other = name_in_an_index(name)
        if other in self._columns.kinds:
            return f" An index calls it '{other}': write {other}."
        if letters(name) not in {"label", "labels", "class"} or self._columns.listing is None:
            return ""
        if self._columns.label is None:
            return " This index has no column of labels. Name it with: monai-unlearn index build … --label FIELD."
        return f" The labels of this index are in '{self._columns.label}': write {Field(self._columns.label)}."

    def _bound_to(self, columns: list[str], name: str) -> Bound:
        own = [(column, self._columns.kinds[column]) for column in columns]
        kinds = {Kind.DATE if kind in _DATES else kind for _, kind in own}
        units = {self._unit(column, kind) for column, kind in own}
        if len(kinds) > 1 or len(units) > 1:
            raise LookupError(
                f"'{name}' is an alias for {' and '.join(columns)}, which hold values of different kinds in this "
                "index. Name one of them instead."
            )
        kind = kinds.pop()
        tags = self._columns.tags
        sides = kind is Kind.TEXT and columns == [LATERALITY]
        many = all(has_several(column, of_column, tags) for column, of_column in own)
        complete = all(map(is_complete, columns))
        return Bound(tuple(own), kind, units.pop(), many=many, complete=complete, sides=sides)

    def _unit(self, column: str, kind: Kind) -> Unit | None:
        if kind is Kind.AGE:
            return YEAR
        declared = self._columns.units.get(column)
        return None if declared is None or kind is not Kind.NUMBER else parse_unit(declared)


def _other_tag(name: str) -> str | None:
    """Return how `index build --tag` is given a tag that not every index has; None if a name is no tag with values."""
    from shlex import quote

    from monai_unlearn.index.tag_path import TagPath  # it needs pydicom, whose dictionary takes time to load

    try:
        path = TagPath.parse(name)
    except ValueError:
        return None
    if path.last.vr == "SQ":
        return f"{name}.KEYWORD"
    return None if path.last.vr in _NO_VALUES else quote(str(path))
