"""Which dates and ages can be true, and which are placeholders or were shifted by de-identification.

A date is implausible on 1900-01-01 or before (the usual placeholder, and years such as 0095), from the year 2900 on
(the placeholders 2999 and 9999), and after the day on which the index was built. Where nearly all dates lie after that
day, de-identification has shifted them, as in MIMIC-CXR (Johnson et al., 2019); they count as plausible then.

An age is implausible from 120 years on, and as `000Y`, which anonymisers write; newborns are aged `000D` or `000W`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable

# Placeholders are this day and the days before it.
LAST_PLACEHOLDER = dt.date(1900, 1, 1)
# The first day and the last day that can be true.
EARLIEST = LAST_PLACEHOLDER + dt.timedelta(days=1)
LATEST = dt.date(2899, 12, 31)
# In years; an age must be below it.
OLDEST = 120.0
# The share of the dated rows after the day of the build from which their dates count as shifted.
SHIFTED_FROM = 0.9


def today() -> dt.date:
    """Return the day of this machine's clock, which a build keeps in `index.json`."""
    return dt.datetime.now().astimezone().date()


def latest_plausible(built: dt.date | None, *, are_shifted: bool) -> dt.date:
    """Return the last day that can be true in an index.

    Args:
        built: The day on which the index was built; null if it is not known.
        are_shifted: Whether its dates were shifted by de-identification.

    >>> latest_plausible(dt.date(2026, 5, 1), are_shifted=False), latest_plausible(None, are_shifted=True)
    (datetime.date(2026, 5, 1), datetime.date(2899, 12, 31))
    """
    return LATEST if built is None or are_shifted else min(built, LATEST)


def are_shifted(dated: int, after: int) -> bool:
    """Return whether the dates of an index were shifted by de-identification.

    Args:
        dated: The number of images with a date that is no placeholder.
        after: How many of them have such a date after the day of the build.
    """
    return dated > 0 and after >= SHIFTED_FROM * dated


def date_keywords(columns: Iterable[str]) -> list[str]:
    """Return those of some columns that are DICOM keywords of dates; other dates of a table are not judged."""
    kinds = vocabulary().dicom
    return [name for name in columns if kinds.get(name) in {Kind.DATE, Kind.DATETIME}]


def age_keywords(columns: Iterable[str]) -> list[str]:
    """Return those of some columns that are DICOM keywords of ages."""
    kinds = vocabulary().dicom
    return [name for name in columns if kinds.get(name) is Kind.AGE]
