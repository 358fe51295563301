"""What a value's text means to a field of each kind."""

from __future__ import annotations

import datetime as dt
import math
import re

from monai_unlearn.fields import Kind

TypedValue = str | float | dt.date

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

EXPECTED = {
    Kind.NUMBER: "a number such as 3 or 0.5",
    Kind.AGE: "a number of years such as 60 or 0.5",
    Kind.DATE: "a date such as 2019-01-31",
}


def typed(text: str, kind: Kind) -> TypedValue:
    """Return a value as the kind of its field wants it: text, a finite number, or a date.

    Raises:
        ValueError: The text is nothing of that kind.
    """
    if kind is Kind.TEXT:
        return text
    if kind in {Kind.DATE, Kind.DATETIME}:
        if not _DATE.fullmatch(text):
            raise ValueError("not a date")
        return dt.date.fromisoformat(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number
