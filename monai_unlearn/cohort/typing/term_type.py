"""The kind and unit of a term's values in one index, or the reason why it has none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.term import Arithmetic, Call, Each, Field, Negative, Number, Sign, Term
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.units import NO_UNIT, YEAR, Unit, factor, parse_unit, product, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.cohort.typing.columns import Bound


@dataclass(frozen=True)
class TermType:
    """The type of a term.

    Attributes:
        kind: What it compares as.
        unit: The unit of a number; None where it is not declared.
        bare: Whether it is a number without a unit, which adopts the unit of the other operand.
        many: Whether an image may have several values.
        made_by: The function of texts that made it, if one did: values are read as it reads them.
        sides: Whether it is a side of the body: values are read as `vocabulary/laterality.py` reads words.
    """

    kind: Kind
    unit: Unit | None = None
    bare: bool = False
    many: bool = False
    made_by: str | None = None
    sides: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it can be used in arithmetic; an age is a number of years."""
        return self.kind in {Kind.NUMBER, Kind.AGE}


class TypeFaultError(ValueError):
    """A term has no type; `term` is the part that causes this."""

    def __init__(self, term: Term, message: str) -> None:
        super().__init__(message)
        self.term = term


_NAMES = {Kind.TEXT: "text", Kind.DATE: "dates", Kind.DATETIME: "dates", Kind.NUMBER: "numbers", Kind.AGE: "ages"}


@singledispatch
def type_of(term: Term, bound: Mapping[str, Bound | None]) -> TermType | None:
    """Return the type of a term; None where one of its fields is unknown.

    Args:
        term: The term.
        bound: The columns of each field; None for unknown fields.

    Raises:
        TypeFaultError: The parts of the term do not fit together.
        NotImplementedError: No handler is registered for this type of node.
    """
    raise NotImplementedError(type(term).__name__)


@type_of.register(Field)
def _field(term: Field, bound: Mapping[str, Bound | None]) -> TermType | None:
    found = bound.get(term.name)
    return None if found is None else TermType(found.kind, found.unit, many=found.many, sides=found.sides)


@type_of.register(Number)
def _number(term: Number, bound: Mapping[str, Bound | None]) -> TermType:  # noqa: ARG001 - it has no fields
    try:
        unit = parse_unit(term.unit or "")
    except ValueError as error:
        raise TypeFaultError(term, f"{error}. Write a unit such as mm or ml") from None
    return TermType(Kind.NUMBER, unit, bare=term.unit is None)


@type_of.register(Negative)
def _negative(term: Negative, bound: Mapping[str, Bound | None]) -> TermType | None:
    return _numeric(term.operand, bound)


@type_of.register(Each)
def _each(term: Each, bound: Mapping[str, Bound | None]) -> TermType | None:
    found = type_of(term.field, bound)
    if found is not None and found.kind is not Kind.TEXT and not found.many:
        raise TypeFaultError(
            term.field,
            f"'{term.field.name}' has one value per image: {term.quantifier.value}() needs text, or a tag of numbers",
        )
    return found


@type_of.register(Arithmetic)
def _arithmetic(term: Arithmetic, bound: Mapping[str, Bound | None]) -> TermType | None:
    if term.sign.adds:
        return common_type((term.left, term.right), bound)
    left, right = _numeric(term.left, bound), _numeric(term.right, bound)
    if left is None or right is None:
        return None
    if left.unit is None or right.unit is None:
        return TermType(Kind.NUMBER, None)  # the unit of a product is known where both units are
    sign = -1 if term.sign is Sign.OVER else 1
    return TermType(Kind.NUMBER, product(left.unit, right.unit, sign=sign), bare=left.bare and right.bare)


@type_of.register(Call)
def _call(term: Call, bound: Mapping[str, Bound | None]) -> TermType | None:
    function = FUNCTIONS[term.function]
    for group in term.by:
        type_of(group, bound)
    if function.takes is Kind.DATE:
        found = type_of(term.arguments[0], bound)
        if found is not None and found.kind is not Kind.DATE:
            raise TypeFaultError(term, f"{term.function}() takes a date, got {_NAMES[found.kind]}")
        _needs_one(term.arguments[0], f"{term.function}()")
        return TermType(Kind.NUMBER, NO_UNIT)
    if function.takes is Kind.TEXT:
        return _of_text(term, bound)
    if function.keeps_unit:
        return common_type(term.arguments, bound)
    types = [_numeric(argument, bound) for argument in term.arguments]
    return None if None in types else TermType(Kind.NUMBER, NO_UNIT)


def _of_text(term: Call, bound: Mapping[str, Bound | None]) -> TermType | None:
    (argument,) = term.arguments
    found = type_of(argument, bound)
    if found is not None and (found.kind is not Kind.TEXT or not isinstance(argument, Field)):
        got = _NAMES[found.kind] if isinstance(argument, Field) else "something computed"
        raise TypeFaultError(term, f"{term.function}() takes a field of text, got {got}")
    return None if found is None else replace(found, made_by=term.function, sides=False)


def conversion(term: Term, target: TermType | None, bound: Mapping[str, Bound | None]) -> float:
    """Return the factor that converts a term to the unit of a target type; 1 where one is a bare number.

    Raises:
        TypeFaultError: One unit cannot be converted to the other, or is not declared.
    """
    own = type_of(term, bound)
    if own is None or target is None or own.bare or target.bare or own.unit == target.unit:
        return 1.0
    if own.unit is None or target.unit is None:
        known = own.unit if target.unit is None else target.unit
        raise TypeFaultError(
            term,
            f"one number is in {spelled(known or NO_UNIT)}, but the other has no declared unit. "
            "Declare it with: monai-unlearn index build … --unit COLUMN=UNIT",
        )
    try:
        return factor(own.unit, target.unit)
    except ValueError as error:
        raise TypeFaultError(term, f"{error}") from None


def common_type(terms: Sequence[Term], bound: Mapping[str, Bound | None]) -> TermType | None:
    """Return the common type of terms that must have one unit: that of the first which is not a bare number.

    Raises:
        TypeFaultError: A term is not a number, or its unit cannot be converted to that of the others.
    """
    types = [_numeric(term, bound) for term in terms]
    if None in types:
        return None
    whole = next((found for found in types if found and not found.bare), types[0])
    for term in terms:
        conversion(term, whole, bound)
    return whole


def _needs_one(term: Term, what: str) -> None:
    """Refuse `any(…)` and `all(…)` where one value is needed."""
    if isinstance(term, Each):
        raise TypeFaultError(
            term.field, f"'{term}' stands for several values, and {what} needs one: compare it with a value as it is"
        )


def _numeric(term: Term, bound: Mapping[str, Bound | None]) -> TermType | None:
    found = type_of(term, bound)
    if found is None:
        return None
    if not found.is_number:
        raise TypeFaultError(term, f"'{term}' holds {_NAMES[found.kind]}, which cannot be used in arithmetic")
    _needs_one(term, "arithmetic")
    return TermType(Kind.NUMBER, YEAR if found.kind is Kind.AGE else found.unit, bare=found.bare)
