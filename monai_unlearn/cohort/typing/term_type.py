"""What kind of value a term has in one index, and in what unit; or why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.term import Arithmetic, Call, Each, Field, Negative, Number, Sign, Term
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.units import NO_UNIT, YEAR, Unit, factor, parse_unit, product, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.cohort.typing.bound import Bound


@dataclass(frozen=True)
class TermType:
    """The type of a term.

    Attributes:
        kind: What it compares as.
        unit: The unit of a number; null where nobody has declared it.
        bare: Whether it is a number alone, which takes on the unit of what it meets.
        many: Whether it is a text that may be several, joined by backslashes as DICOM writes them.
    """

    kind: Kind
    unit: Unit | None = None
    bare: bool = False
    many: bool = False

    @property
    def is_number(self) -> bool:
        """Whether arithmetic takes it; an age is a number of years."""
        return self.kind in {Kind.NUMBER, Kind.AGE}


class TypeFaultError(ValueError):
    """A term that has no type, with the part of it that is to blame."""

    def __init__(self, term: Term, message: str) -> None:
        super().__init__(message)
        self.term = term


_NAMES = {Kind.TEXT: "text", Kind.DATE: "dates", Kind.DATETIME: "dates", Kind.NUMBER: "numbers", Kind.AGE: "ages"}


def type_of(term: Term, bound: Mapping[str, Bound | None]) -> TermType | None:
    """Return a term's type; null where a field of it is not known well enough to tell.

    Raises:
        TypeFaultError: The parts of the term do not fit together.
    """
    if isinstance(term, Field):
        found = bound.get(term.name)
        return None if found is None else TermType(found.kind, found.unit, many=found.many)
    if isinstance(term, Number):
        return TermType(Kind.NUMBER, _unit_of(term), bare=term.unit is None)
    if isinstance(term, Negative):
        return _number(term.operand, bound)
    if isinstance(term, Each):
        return _each(term, bound)
    if isinstance(term, Arithmetic):
        return _arithmetic(term, bound)
    if isinstance(term, Call):
        return _call(term, bound)
    raise NotImplementedError(type(term).__name__)


def conversion(term: Term, target: TermType | None, bound: Mapping[str, Bound | None]) -> float:
    """Return what a term is multiplied with to be in the unit of another; 1 where units do not meet.

    Raises:
        TypeFaultError: Their units do not fit together.
    """
    own = type_of(term, bound)
    if own is None or target is None or own.bare or target.bare or own.unit == target.unit:
        return 1.0
    if own.unit is None or target.unit is None:
        known = own.unit if target.unit is None else target.unit
        raise TypeFaultError(
            term,
            f"one number is in {spelled(known or NO_UNIT)}, of the other nobody has declared the unit. "
            "Declare it with: monai-unlearn index build … --unit COLUMN=UNIT",
        )
    try:
        return factor(own.unit, target.unit)
    except ValueError as error:
        raise TypeFaultError(term, f"{error}") from None


def common_type(terms: Sequence[Term], bound: Mapping[str, Bound | None]) -> TermType | None:
    """Return the type that terms of one unit share: that of the first which is more than a number alone.

    Raises:
        TypeFaultError: A term is no number, or its unit does not fit the others'.
    """
    types = [_number(term, bound) for term in terms]
    if None in types:
        return None
    whole = next((found for found in types if found and not found.bare), types[0])
    for term in terms:
        conversion(term, whole, bound)
    return whole


def _unit_of(number: Number) -> Unit:
    try:
        return parse_unit(number.unit or "")
    except ValueError as error:
        raise TypeFaultError(number, f"{error}. Write a unit such as mm or ml") from None


def _number(term: Term, bound: Mapping[str, Bound | None]) -> TermType | None:
    found = type_of(term, bound)
    if found is None:
        return None
    if not found.is_number:
        raise TypeFaultError(term, f"'{term}' holds {_NAMES[found.kind]}, with which nothing can be computed")
    return TermType(Kind.NUMBER, YEAR if found.kind is Kind.AGE else found.unit, bare=found.bare)


def _each(term: Each, bound: Mapping[str, Bound | None]) -> TermType | None:
    found = type_of(term.field, bound)
    if found is not None and found.kind is not Kind.TEXT:
        raise TypeFaultError(
            term.field, f"'{term.field.name}' has one value an image: {term.quantifier.value}() asks of texts only"
        )
    return found


def _arithmetic(term: Arithmetic, bound: Mapping[str, Bound | None]) -> TermType | None:
    if term.sign.adds:
        return common_type((term.left, term.right), bound)
    left, right = _number(term.left, bound), _number(term.right, bound)
    if left is None or right is None:
        return None
    if left.unit is None or right.unit is None:
        # A factor without a unit leaves the other as it is, declared or not.
        return TermType(Kind.NUMBER, None)
    sign = -1 if term.sign is Sign.OVER else 1
    return TermType(Kind.NUMBER, product(left.unit, right.unit, sign=sign), bare=left.bare and right.bare)


def _call(term: Call, bound: Mapping[str, Bound | None]) -> TermType | None:
    function = FUNCTIONS[term.function]
    for group in term.by:
        type_of(group, bound)
    if function.takes is Kind.DATE:
        found = type_of(term.arguments[0], bound)
        if found is not None and found.kind is not Kind.DATE:
            raise TypeFaultError(term, f"{term.function}() takes a date, got {_NAMES[found.kind]}")
        return TermType(Kind.NUMBER, NO_UNIT)
    if function.keeps_unit:
        return common_type(term.arguments, bound)
    types = [_number(argument, bound) for argument in term.arguments]
    return None if None in types else TermType(Kind.NUMBER, NO_UNIT)
