"""The columns that predicates may name, and those that one field of a predicate is bound to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.index.doubts import DOUBTS
from monai_unlearn.index.store.schema import BASE_COLUMNS
from monai_unlearn.vocabulary.fields import Kind, vocabulary
from monai_unlearn.vocabulary.folding import letters

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from monai_unlearn.vocabulary.units import Unit


# The column with every value of a field whose own column has one of them.
SEVERAL = {"fault": "faults", "patient": "patient_ids"}
# Columns of the tool's own with several values, and those of them in which no value means that there is none.
_MANY = frozenset(("faults", "patient_ids", *DOUBTS))
_COMPLETE = frozenset(("fault", "faults", *DOUBTS))
_DATES = frozenset((Kind.DATE, Kind.DATETIME))


@dataclass(frozen=True)
class Columns:
    """The columns that predicates may name.

    Attributes:
        kinds: The kind of each column.
        units: The unit of each column that declares one.
        listing: A sentence without its full stop that tells authors where the columns are listed. None without an
            index at hand: an unknown field is then not a fault, since the index may have such a column.
        label: The column of the images' labels, if the index has one.
        tags: The columns of DICOM tags beyond the vocabulary, which may have several values.
    """

    kinds: Mapping[str, Kind]
    units: Mapping[str, str] = field(default_factory=dict)
    listing: str | None = None
    label: str | None = None
    tags: frozenset[str] = frozenset()

    @classmethod
    def of_any_index(cls) -> Columns:
        """Return the columns that every index has, and those that an index of DICOM files may have.

        >>> Columns.of_any_index().kinds["Modality"].value
        'text'
        """
        return cls({**BASE_COLUMNS, **vocabulary().dicom, **vocabulary().derived}, vocabulary().units)


def has_several(column: str, kind: Kind, tags: Collection[str] = frozenset()) -> bool:
    """Return whether an image may have several values of a column; see `Bound.many`.

    Args:
        column: Its name.
        kind: The kind of its values.
        tags: The columns of DICOM tags beyond the vocabulary.
    """
    if kind in _DATES:
        return column in tags
    return kind is not Kind.AGE and (column in _MANY or column in vocabulary().dicom or column in tags)


def is_complete(column: str) -> bool:
    """Return whether an image without a value in a column has none, rather than an unknown one.

    >>> is_complete("faults"), is_complete("Laterality")
    (True, False)
    """
    return column in _COMPLETE


@dataclass(frozen=True)
class Bound:
    """The columns that a field is bound to in one index; an image's value is that of the first that it has.

    Attributes:
        columns: The columns, each with the kind of its own values.
        kind: What the values compare as; datetimes compare as dates.
        unit: The unit of numbers, where it is declared.
        many: Whether an image may have several values: texts, which DICOM joins by backslashes, or numbers or dates,
            which are entries of the column `several_values`.
        between: For an age, the dates that it is the time between where none of the columns has a value.
        complete: Whether an image without a value has none, rather than an unknown one: conditions on it are false.
        sides: Whether a value is a side of the body, R, L or B, which authors may write in other words.
    """

    columns: tuple[tuple[str, Kind], ...]
    kind: Kind
    unit: Unit | None = None
    many: bool = False
    between: tuple[Bound, Bound] | None = None
    complete: bool = False
    sides: bool = False


# What files and tables call the columns that every index has, by the letters of the name.
_CALLED = {
    "patientid": "patient",
    "mrn": "patient",
    "studyinstanceuid": "study",
    "studyuid": "study",
    "seriesinstanceuid": "series",
    "seriesuid": "series",
    "sopinstanceuid": "image_id",
    "imageid": "image_id",
    "filename": "path",
    "filepath": "path",
}


def name_in_an_index(name: str) -> str | None:
    """Return what an index calls a column that it has under another name than files do.

    >>> name_in_an_index("StudyInstanceUID"), name_in_an_index("device")
    ('study', None)
    """
    found = _CALLED.get(letters(name))
    return None if found == name else found
