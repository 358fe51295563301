"""Functions of texts: `version`."""

from __future__ import annotations

import re

from monai_unlearn.cohort.language.functions.function import Function
from monai_unlearn.vocabulary.fields import Kind

# A version begins with numbers between full stops. What follows, as in `6.1 SP2`, does not count.
_VERSION = r"^\s*[vV]?\s*((?:[0-9]{1,18}\.)*[0-9]{1,18})(?:$|[^0-9.])"
_ZEROS = r"(?:\.0+)+$"
_DIGITS = 18  # that a number of a version may have


def version_key(text: str) -> str | None:
    """Return a text whose order is the order of versions: 6.9 is before 6.10, and 6.1 is 6.1.0.

    Returns:
        The numbers, each with leading zeros, or None for a text that does not begin with a version.

    >>> version_key("6.0.4") < version_key("6.1") < version_key("V6.10 SP2"), version_key("BOOT 2")
    (True, None)
    """
    found = re.match(_VERSION, text, re.ASCII)
    if found is None:
        return None
    return ".".join(number.zfill(_DIGITS) for number in re.sub(_ZEROS, "", found[1]).split("."))


def _sql(text: str) -> str:
    numbers = f"STRING_SPLIT(REGEXP_REPLACE(REGEXP_EXTRACT({text}, '{_VERSION}', 1), '{_ZEROS}', ''), '.')"
    padded = f"LIST_TRANSFORM({numbers}, lambda number: LPAD(number, {_DIGITS}, '0'))"
    return f"CASE WHEN REGEXP_MATCHES({text}, '{_VERSION}') THEN ARRAY_TO_STRING({padded}, '.') END"


VERSIONS = (
    Function(
        name="version",
        words="the version in {0}",
        takes=Kind.TEXT,
        sql=lambda items: _sql(items[0]),
        read=version_key,
        example="6.1",
    ),
)
