"""What a reader returns: the columns of one file, and the fault of its values."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from monai_unlearn.index.doubts import DOUBTS, Doubts
from monai_unlearn.index.faults import WHOLE_SLIDE_CLASS, Fault
from monai_unlearn.index.store.schema import PIXEL_DIGEST
from monai_unlearn.index.tag_path import TagPath
from monai_unlearn.index.values import INVALID, UIDS, UNDECODED, Value, coerce, distinct, is_empty, uid
from monai_unlearn.vocabulary.fields import Kind, vocabulary
from monai_unlearn.vocabulary.laterality import LATERALITY, LATERALITY_TAGS, Laterality, laterality_of

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Value]

# The column of what the user asks for beyond the vocabulary, as JSON.
EXTRA_TAGS = "extra_tags"
OTHER_IDS = "OtherPatientIDsSequence"
# What the row says further about the patient; see `identity.py`.
SETTLED = ("issuer", "other_ids", "birth_check")
IDENTITY = ("SOPInstanceUID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID")
# What these come from; the tags themselves are not stored.
_ABOUT_PATIENT = ("IssuerOfPatientID", "OtherPatientIDs", OTHER_IDS, "PatientBirthDate")
_OF_LATERALITY = {
    Laterality.CONTRADICTING: Fault.CONTRADICTING_LATERALITY,
    Laterality.INVALID: Fault.INVALID_LATERALITY,
}


def file_columns() -> Mapping[str, Kind]:
    """Return the columns of a file's row: format, faults, doubts, identity, vocabulary, and what users ask for.

    Readers leave what users ask for null; `scan/extra_tags.py` and `scan/pixel_digests.py` add it afterwards.
    """
    about = dict.fromkeys(("format", "fault", "faults", *DOUBTS), Kind.TEXT)
    added = dict.fromkeys((*SETTLED, EXTRA_TAGS, PIXEL_DIGEST), Kind.TEXT)
    return {**about, **tag_columns(), **derived_columns(), **added}


def derived_columns() -> Mapping[str, Kind]:
    """Return the columns that are found from several keywords together."""
    return vocabulary().derived


@cache
def tag_paths() -> Mapping[str, TagPath]:
    """Return what each of the columns of `read_columns` is read from."""
    return {name: TagPath.parse(name) for name in read_columns()}


def tag_columns() -> Mapping[str, Kind]:
    """Return the DICOM keywords that are stored of every file, with the kinds of their values."""
    return {**dict.fromkeys(IDENTITY, Kind.TEXT), **vocabulary().dicom}


def read_columns() -> Mapping[str, Kind]:
    """Return the DICOM keywords that every reader reads, with the kinds of their values."""
    return {**tag_columns(), **dict.fromkeys(_ABOUT_PATIENT, Kind.TEXT)}


def tagged(values: Mapping[str, object]) -> tuple[Row, tuple[Fault, ...]]:
    """Return the columns for the values of a DICOM file, and the faults of these values, gravest first.

    An invalid value becomes null, and the fault and the column `invalid` report it. A shortened date and several
    different numbers become null, and the columns `partial` and `several_values` have them. Every reader of DICOM files
    calls this, so that all readers return the same rows.

    Args:
        values: The decoded value of each keyword: a list if there are several, null if it is missing. Text contains
            `UNDECODED` if its bytes could not be decoded.
    """
    row: Row = {}
    faults: set[Fault] = set()
    doubts = Doubts()
    for keyword, kind in read_columns().items():
        value = values.get(keyword)
        if doubts.note_value(keyword, kind, value):
            row[keyword] = None
            continue
        row[keyword], fault = _judged(keyword, kind, value)
        numbers = distinct(kind, value) if fault is Fault.INVALID_NUMBER else ()
        if len(numbers) > 1:
            fault = Fault.SEVERAL_NUMBERS
            doubts.note_several(keyword, numbers)
        elif numbers:  # all values agree
            (row[keyword],), fault = numbers, None
        elif fault is not None:
            doubts.note_invalid(keyword)
        faults.update(filter(None, [fault]))
    row.update(doubts.columns())
    # A side that cannot be read is not that of the next tag.
    unread = dict.fromkeys((tag for tag in LATERALITY_TAGS if UNDECODED in str(values.get(tag))), UNDECODED)
    row[LATERALITY], laterality_fault = laterality({**row, **unread} if unread else row)
    faults.update(filter(None, [laterality_fault]))
    if row["SOPClassUID"] == WHOLE_SLIDE_CLASS:
        faults.add(Fault.WHOLE_SLIDE)
    if row["SOPInstanceUID"] is None:
        faults.add(Fault.MISSING_SOP_INSTANCE_UID)
    return row, tuple(fault for fault in Fault if fault in faults)


def laterality(row: Mapping[str, Value]) -> tuple[str | None, Fault | None]:
    """Return the side of an image and what is wrong with its tags; see `vocabulary/laterality.py`."""
    return _laterality(tuple(map(row.get, LATERALITY_TAGS)))


@lru_cache(maxsize=1024)
def _laterality(values: tuple[Value, ...]) -> tuple[str | None, Fault | None]:
    found = laterality_of(values)
    return (None, _OF_LATERALITY[found]) if isinstance(found, Laterality) else (found, None)


def _judged(keyword: str, kind: Kind, value: object) -> tuple[Value, Fault | None]:
    if keyword in UIDS:
        found: Value = uid(value)
        return found, None if found is not None or is_empty(value) else Fault.INVALID_UID
    found = coerce(kind, value)
    if isinstance(found, str) and UNDECODED in found:
        return None, Fault.UNDECODABLE_TEXT
    invalid = found is None and kind in INVALID and not is_empty(value)
    return found, INVALID[kind] if invalid else None


class FaultyFileError(Exception):
    """A file has a fault; `row` contains what was read of it."""

    def __init__(self, fault: Fault, row: Row | None = None) -> None:
        super().__init__(fault.code)
        self.fault = fault
        self.row = row or {}
