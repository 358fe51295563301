"""Values of a spec, which are text, coerced to the type of the term that they are compared with."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.laterality import UNPAIRED, side_of
from monai_unlearn.vocabulary.units import YEAR, factor, parse_unit, spelled

if TYPE_CHECKING:
    from monai_unlearn.cohort.typing.term_type import TermType

TypedValue = str | float | dt.date

_NUMBER = re.compile(r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(\D.*)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

EXPECTED = {
    Kind.NUMBER: "a number such as 3 or 0.5",
    Kind.AGE: "a number of years such as 60 or 0.5",
    Kind.DATE: "a date such as 2019-01-31",
}


class UnitError(ValueError):
    """A number whose unit cannot be converted; the message says why."""


def coerce(text: str, wanted: TermType) -> TypedValue:
    """Return a value as its term needs it: text, a finite number in the term's unit, or a date.

    A number without a unit is taken to be in the term's unit.

    Args:
        text: The value, as the author wrote it.
        wanted: The type of the term.

    Raises:
        UnitError: The unit of the value cannot be converted to that of the term.
        ValueError: The text is not a value of that kind.

    >>> from monai_unlearn.cohort.typing.term_type import TermType
    >>> from monai_unlearn.vocabulary.units import parse_unit
    >>> coerce("1.1 cm", TermType(Kind.NUMBER, parse_unit("mm")))
    11.0
    """
    if wanted.kind is Kind.TEXT:
        return _text(text, wanted)
    if wanted.kind in {Kind.DATE, Kind.DATETIME}:
        if not _DATE.fullmatch(text):
            raise ValueError("not a date")
        return dt.date.fromisoformat(text)
    match = _NUMBER.fullmatch(text)
    number = float(match[1]) if match else math.nan
    if match is None or not math.isfinite(number):
        raise ValueError("not a number")
    converted = number * _factor(match[2], wanted) if match[2] else number
    if not math.isfinite(converted):
        raise ValueError("not a number")
    return converted


def _text(text: str, wanted: TermType) -> str:
    read = FUNCTIONS[wanted.made_by].read if wanted.made_by else _side if wanted.sides else None
    found = read(text) if read is not None else text
    if found is None:
        raise ValueError("not a value of this term")
    return found


def _side(text: str) -> str | None:
    found = side_of(text)
    return None if found == UNPAIRED else found  # an image of an unpaired organ has no side


def expected(wanted: TermType) -> str:
    """Return what messages call the values that a term is compared with."""
    if wanted.made_by:
        return f"a {wanted.made_by} such as {FUNCTIONS[wanted.made_by].example}"
    return "R, L or B, or a word for one of them such as left or OD" if wanted.sides else EXPECTED[wanted.kind]


def _factor(unit: str, wanted: TermType) -> float:
    try:
        source = parse_unit(unit)
    except ValueError:
        raise ValueError("not a number") from None
    target = YEAR if wanted.kind is Kind.AGE else wanted.unit
    if target is None:
        raise UnitError(
            f"has no declared unit, so {spelled(source)} cannot be converted to it. Leave the unit out, or declare it "
            "with: monai-unlearn index build … --unit COLUMN=UNIT"
        )
    try:
        return factor(source, target)
    except ValueError as error:
        raise UnitError(f"is in {spelled(target)}: {error}") from None
