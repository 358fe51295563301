"""Values that a column of their own cannot hold: invalid, shortened, implausible and several ones, as four columns.

- `invalid`: the DICOM keywords that have a value which is not valid; the column of such a keyword is null.
- `partial`: shortened dates, as `KEYWORD=FIRST/LAST` with the first and the last day that each stands for; the column
  of such a keyword is null.
- `implausible`: the keywords whose stored number does not show that it is a placeholder: an age of `000Y`.
- `several_values`: tags of numbers or dates of which the image has several, such as one per frame, as `TAG=2.5/5.0` in
  ascending order; the column of such a tag is null. Texts need no entry: theirs are joined in their own column.

Several entries are joined by backslashes; without an entry the column is null.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.index.values import is_placeholder_age, shortened
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monai_unlearn.index.values import Value

SEVERAL_VALUES = "several_values"
DOUBTS = ("invalid", "partial", "implausible", SEVERAL_VALUES)
SEPARATOR = "\\"
# What separates the values in an entry.
BETWEEN_VALUES = "/"


@dataclass
class Doubts:
    r"""Collects what is in doubt about one row.

    >>> doubts = Doubts()
    >>> doubts.note_invalid("StudyDate")
    >>> doubts.note_value("AcquisitionDateTime", Kind.DATETIME, "201812")
    True
    >>> doubts.note_several("SliceThickness", [2.5, 5.0])
    >>> [entries for entries in doubts.columns().values() if entries]
    ['StudyDate', 'AcquisitionDateTime=2018-12-01/2018-12-31', 'SliceThickness=2.5/5.0']
    """

    _invalid: list[str] = field(default_factory=list)
    _partial: list[str] = field(default_factory=list)
    _implausible: list[str] = field(default_factory=list)
    _several: list[str] = field(default_factory=list)

    def note_invalid(self, keyword: str) -> None:
        """Note a value that is present and not valid."""
        self._invalid.append(keyword)

    def note_value(self, keyword: str, kind: Kind, value: object) -> bool:
        """Note a shortened date or a placeholder age; return whether the value is a shortened date."""
        days = shortened(kind, value)
        if days is not None:
            self._partial.append(partial_entry(keyword, *days))
        elif kind is Kind.AGE and is_placeholder_age(value):
            self._implausible.append(keyword)
        return days is not None

    def note_several(self, keyword: str, values: Iterable[Value]) -> None:
        """Note the different values of a tag, in ascending order."""
        self._several.append(several_entry(keyword, values))

    def columns(self) -> dict[str, str | None]:
        """Return the four columns."""
        noted = (self._invalid, self._partial, self._implausible, self._several)
        return {name: SEPARATOR.join(found) or None for name, found in zip(DOUBTS, noted, strict=True)}


def partial_entry(keyword: str, first: dt.date, last: dt.date) -> str:
    """Return the entry of a shortened date in the column `partial`."""
    return f"{keyword}={first.isoformat()}/{last.isoformat()}"


def several_entry(tag: str, values: Iterable[Value]) -> str:
    """Return the entry of several numbers or dates in the column `several_values`.

    >>> several_entry("SliceThickness", [2.5, 5.0])
    'SliceThickness=2.5/5.0'
    """
    texts = (value.isoformat() if isinstance(value, dt.date) else repr(value) for value in values)
    return f"{tag}={BETWEEN_VALUES.join(texts)}"
