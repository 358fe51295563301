"""DICOM values as the index stores them: typed by the kind of their column, null if invalid."""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeGuard

from monai_unlearn.index.faults import Fault
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = str | float | dt.date | dt.datetime | None

# The keywords whose values are UIDs.
UIDS = frozenset(("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"))
# Replaces bytes that could not be decoded (Unicode's replacement character).
UNDECODED = "\ufffd"
# The fault of a row with an invalid value of each kind; any text is valid.
INVALID: Mapping[Kind, Fault] = {
    Kind.DATE: Fault.INVALID_DATE,
    Kind.DATETIME: Fault.INVALID_DATE,
    Kind.AGE: Fault.INVALID_AGE,
    Kind.NUMBER: Fault.INVALID_NUMBER,
}
# Every whole number up to 2^53 has an exact float. A column of larger ones contains identifiers, and stays text.
LARGEST_EXACT_WHOLE = 2**53

_PADDING = " \0\t\r\n"
_UID = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
LONGEST_UID = 64
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})|(\d{4})\.(\d{2})\.(\d{2})")
# The offsets of time zones are -1200 to +1400 (DICOM PS3.5 table 6.2-1, DT).
ZONE = r"(?:[+-](?:0\d|1[0-4])[0-5]\d)"
_DATETIME = re.compile(rf"(\d{{8}})(\d{{2}})?(\d{{2}})?(\d{{2}})?(?:\.(\d{{1,6}}))?{ZONE}?", re.ASCII)
_SHORTENED = re.compile(r"(\d{4})(\d{2})?", re.ASCII)
_SHORTENED_DATETIME = re.compile(rf"(\d{{4}})(\d{{2}})?{ZONE}?", re.ASCII)
_AGE = re.compile(r"(\d{1,3})([DWMY])")
_PLACEHOLDER_AGE = re.compile(r"0{1,3}Y")
UNITS_A_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}


def coerce(kind: Kind, value: object) -> Value:
    """Return a DICOM value as the kind of its column, or null if it is empty or not of that kind.

    Args:
        kind: The kind of the column.
        value: A value as pydicom decodes it; a list if there are several.
    """
    return _READERS[kind](value)


def text(value: object) -> str | None:
    r"""Return text without its padding. Several values are joined by a backslash, as in DICOM."""
    if value is None:
        return None
    if isinstance(value, bytes):  # unknown representation (UN): ASCII is kept, other bytes are not text
        value = value.decode("ascii", "replace")
    values = value if _is_list(value) else [value]
    joined = "\\".join(str(item).strip(_PADDING) for item in values)
    # Half of a surrogate pair is not valid Unicode and cannot be stored.
    joined = joined.encode("utf-8", "replace").decode("utf-8")
    return joined if joined.strip("\\") else None


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def is_empty(value: object) -> bool:
    """Return whether a value is missing, or consists of padding only."""
    return text(value) is None


def uid(value: object) -> str | None:
    """Return a UID: numbers joined by periods, at most 64 characters (DICOM PS3.5 section 9.1).

    Leading zeros are accepted: the standard forbids them, but archives contain them, and the UID is still unique.
    """
    found = text(value) or ""
    return found if len(found) <= LONGEST_UID and _UID.fullmatch(found) else None


def number(value: object) -> float | None:
    """Return one finite number."""
    content = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    if isinstance(content, str):
        content = content.strip(_PADDING)
        if "_" in content:  # valid in Python, not in DICOM
            return None
    if not isinstance(content, str | int | float | Decimal):
        return None
    try:
        parsed = float(content)
    except (OverflowError, ValueError):
        return None
    return parsed if math.isfinite(parsed) else None


def date(value: object) -> dt.date | None:
    """Parse a date `YYYYMMDD` (DICOM PS3.5 table 6.2-1, DA), or the older `YYYY.MM.DD`."""
    match = _DATE.fullmatch(text(value) or "")
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def datetime(value: object) -> dt.datetime | None:
    """Parse a datetime `YYYYMMDD[HH[MM[SS[.F]]]]` (DICOM PS3.5 table 6.2-1, DT). The time zone is dropped.

    DICOM allows a datetime without its day or month; it is null here, and `shortened` returns its days.
    """
    match = _DATETIME.fullmatch(text(value) or "")
    day = date(match[1]) if match else None
    if match is None or day is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.group(2, 3, 4))
    try:
        return dt.datetime.combine(day, dt.time(hour, minute, second, int((match[5] or "0").ljust(6, "0"))))
    except ValueError:
        return None


def shortened(kind: Kind, value: object) -> tuple[dt.date, dt.date] | None:
    """Return the first and the last day of a date without its day or month; null for every other value.

    DICOM allows `YYYY` and `YYYYMM`, with or without a time zone, as a datetime (PS3.5 table 6.2-1, DT); as a date they
    occur nevertheless.

    >>> shortened(Kind.DATETIME, "201802")
    (datetime.date(2018, 2, 1), datetime.date(2018, 2, 28))
    """
    pattern = {Kind.DATE: _SHORTENED, Kind.DATETIME: _SHORTENED_DATETIME}.get(kind)
    match = pattern.fullmatch(text(value) or "") if pattern else None
    if match is None:
        return None
    year, first, last = int(match[1]), int(match[2] or 1), int(match[2] or 12)
    try:
        return dt.date(year, first, 1), dt.date(year, last, calendar.monthrange(year, last)[1])
    except ValueError:
        return None


def distinct(kind: Kind, value: object) -> tuple[Value, ...]:
    r"""Return the different values of a tag in ascending order: one or more; none where one of them is invalid.

    Equal values count once, however they are spelled, and empty ones not at all.

    Args:
        kind: The kind of its column, other than text.
        value: The value as pydicom decodes it; several are a list, or a text joined by backslashes.

    >>> distinct(Kind.NUMBER, "5\\2.50\\2.5\\")
    (2.5, 5.0)
    """
    parts = value.split("\\") if isinstance(value, str) else value if _is_list(value) else [value]
    found = [coerce(kind, part) for part in parts if not is_empty(part)]
    return () if None in found else tuple(sorted(set(found)))  # type: ignore[type-var] # all are of one kind


def is_placeholder_age(value: object) -> bool:
    """Return whether an age is `000Y`, which anonymisers write; its number alone could be that of a newborn."""
    return _PLACEHOLDER_AGE.fullmatch(text(value) or "") is not None


def age(value: object) -> float | None:
    """Parse an age `nnnD`, `nnnW`, `nnnM` or `nnnY` (DICOM PS3.5 table 6.2-1, AS), in years."""
    match = _AGE.fullmatch(text(value) or "")
    return int(match[1]) / UNITS_A_YEAR[match[2]] if match else None


_READERS: Mapping[Kind, Callable[[object], Value]] = {
    Kind.TEXT: text,
    Kind.NUMBER: number,
    Kind.DATE: date,
    Kind.DATETIME: datetime,
    Kind.AGE: age,
}
