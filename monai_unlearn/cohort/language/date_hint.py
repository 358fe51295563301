"""What to write instead of a date in another form, for messages."""

from __future__ import annotations

import datetime as dt
import re

_YEAR_FIRST = re.compile(r"([0-9]{4})[-./]?([0-9]{1,2})[-./]?([0-9]{1,2})")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-./])([0-9]{1,2})\2([0-9]{4})")
_SHORT = re.compile(r"([0-9]{4})(?:[-./]?([0-9]{2}))?")


def date_hint(text: str) -> str:
    """Return a sentence, after a space, that says how to write a date; empty if the text is not a date.

    >>> date_hint("31.01.2019"), date_hint("20190131"), date_hint("tomorrow")
    (' Write the year first: 2019-01-31.', ' Write the year first: 2019-01-31.', '')
    >>> date_hint("01/02/2019")
    ' Write the year first: 2019-01-02 or 2019-02-01, whichever you mean.'
    """
    if short := _SHORT.fullmatch(text):
        day = _days((short[1], short[2] or "1", "1"))
        return f" Write a whole date such as {day[0]}." if day else ""
    dates = _dates(text)
    if not dates:
        return ""
    which = ", whichever you mean" if len(dates) > 1 else ""
    return f" Write the year first: {' or '.join(dates)}{which}."


def one_date(text: str) -> str | None:
    """Return the one date that a text stands for, as specs write it; null if it is none, or may be two.

    >>> one_date("31.01.2019"), one_date("01/02/2019"), one_date("tomorrow")
    ('2019-01-31', None, None)
    """
    dates = _dates(text)
    return dates[0] if len(dates) == 1 else None


def _dates(text: str) -> list[str]:
    """Return the dates that a text may stand for, the same date once."""
    if match := _YEAR_FIRST.fullmatch(text):
        return _days((match[1], match[2], match[3]))
    match = _YEAR_LAST.fullmatch(text)
    if match is None:
        return []
    day_first, month_first = (match[4], match[3], match[1]), (match[4], match[1], match[3])
    # With full stops, the day comes first wherever such dates are written.
    return _days(day_first) if match[2] == "." else _days(month_first, day_first)


def _days(*candidates: tuple[str, str, str]) -> list[str]:
    found = (_day(*parts) for parts in candidates)
    return list(dict.fromkeys(day for day in found if day is not None))


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return dt.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
