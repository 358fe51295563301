"""How tables spell what is missing, and days: DICOM, ISO 8601, and what spreadsheets and pandas make of them.

A day is `20180605`, `2018-06-05`, `2018.06.05` or `2018/06/05`; `20180605.0`, which pandas writes where another value
of the column is missing; or one of them with a time behind it. `05.06.2018` and `06/05/2018` are not read: which of the
two is the month is a guess.
"""

from __future__ import annotations

import datetime as dt
import re

# Words for a missing value in any case; pandas's are among them. DuckDB and Arrow, whose regular expressions (RE2) read
# these alike, use them too.
MISSING_WORD = r"(?i)(?:-?nan|nat|null|none|n/a|na|n\.a\.|#n/a|#na|#n/a n/a|<na>|\(null\)|\\n)"
MISSING = f"{MISSING_WORD}?"
LONGEST_MISSING = 8
# What such a word begins with, which decides faster than a regular expression.
MISSING_STARTS = "nN#<(-\\"
TIME = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
ZONE = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
EIGHT_DIGITS = r"([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0+)?"
_PUNCTUATED = r"([0-9]{4})(?:-([0-9]{1,2})-|/([0-9]{1,2})/)([0-9]{1,2})"
DOTTED_DAY = r"([0-9]{4})\.([0-9]{2})\.([0-9]{2})"
SPLIT_DAY = rf"{_PUNCTUATED}(?:[ T]{TIME}{ZONE})?"
# A column of eight digits contains days if all of them are in these years.
FIRST_YEAR, LAST_YEAR = 1900, 2100

_MISSING, _EIGHT, _DOTTED, _SPLIT = map(re.compile, (MISSING, EIGHT_DIGITS, DOTTED_DAY, SPLIT_DAY))


def is_missing(text: str) -> bool:
    """Return whether a text without its padding stands for a missing value.

    >>> [is_missing(text) for text in ("", "NULL", "n/a", "None", "normal", "0")]
    [True, True, True, True, False, False]
    """
    return len(text) <= LONGEST_MISSING and _MISSING.fullmatch(text) is not None


def day_of(text: str) -> dt.date | None:
    """Return the day that a text of a table spells; null if it spells none.

    >>> day_of("20180605"), day_of("2018-06-05 10:11"), day_of("05.06.2018")
    (datetime.date(2018, 6, 5), datetime.date(2018, 6, 5), None)
    """
    match = _EIGHT.fullmatch(text) or _DOTTED.fullmatch(text) or _SPLIT.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def is_day(text: str) -> bool:
    """Return whether a text is a day wherever it stands: eight digits may also be another number."""
    day = day_of(text)
    return day is not None and (not text[:5].isdigit() or FIRST_YEAR <= day.year <= LAST_YEAR)
