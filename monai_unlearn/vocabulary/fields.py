"""The vocabulary of cohort specs: DICOM keywords with their kinds and units, and aliases for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from monai_unlearn.strict_yaml import load

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(str, Enum):
    """What the values of a field are. Ages are numbers of years."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    AGE = "age"


@dataclass(frozen=True)
class Vocabulary:
    """The parsed `fields.yaml`.

    Attributes:
        dicom: The DICOM keywords of an index, with the kinds of their values.
        derived: Columns that an index of DICOM files finds from several keywords together, with their kinds.
        units: The unit of a keyword's numbers, where the standard gives one.
        aliases: Plain words, each with its keywords; an image's value is that of the first keyword that it has.
        ages: Aliases for an age, each with the two dates that it is the time between where no keyword has a value.

    >>> vocabulary().aliases["acquired"]
    ('AcquisitionDate', 'AcquisitionDateTime', 'StudyDate')
    """

    dicom: Mapping[str, Kind]
    derived: Mapping[str, Kind]
    units: Mapping[str, str]
    aliases: Mapping[str, tuple[str, ...]]
    ages: Mapping[str, tuple[str, str]]

    @property
    def names(self) -> tuple[str, ...]:
        """Every alias, derived column and DICOM keyword, for suggestions."""
        return (*self.aliases, *self.derived, *self.dicom)


@cache
def vocabulary() -> Vocabulary:
    """Return the shipped `fields.yaml`, read once."""
    text = resources.files("monai_unlearn.vocabulary").joinpath("fields.yaml").read_text(encoding="utf-8")
    content = load(text, source="fields.yaml")
    return Vocabulary(
        dicom={keyword: Kind(kind) for keyword, kind in content["dicom"].items()},
        derived={name: Kind(kind) for name, kind in content["derived"].items()},
        units=dict(content["units"]),
        aliases={alias: tuple(keywords) for alias, keywords in content["aliases"].items()},
        ages={alias: (born, day) for alias, (born, day) in content["ages"].items()},
    )
