"""What can be wrong with a file: a code, a sentence, and whether the file still counts as an image."""

from __future__ import annotations

import errno
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# VL Whole Slide Microscopy Image Storage (DICOM PS3.4 table B.5-1)
WHOLE_SLIDE_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.6"


class Fault(Enum):
    r"""A fault, gravest first; a row of the index has the code of its gravest in the column `fault`.

    The column `faults` has every code of the row, gravest first, joined by backslashes. `sentence` describes a fault to
    a person and follows the name of a file. A fault that leaves the pixels intact is `usable`: the image is marked, and
    still counts. Every usable fault comes after every other one.
    """

    NOT_AN_IMAGE = (
        "not_an_image",
        "is not an image: neither DICOM (marked DICM at byte 128), NIfTI, JPEG, PNG, TIFF nor BMP",
    )
    DERIVED_OBJECT = (
        "derived_object",
        "contains a segmentation, dose, map, report, plan or another object about images, not an image",
    )
    EMPTY_FILE = ("empty_file", "is empty (zero bytes)")
    PERMISSION_DENIED = ("permission_denied", "cannot be read by this user: permission denied")
    PATH_NOT_UNICODE = ("path_not_unicode", "has a name that is not valid Unicode; rename it")
    SYMLINK_LOOP = ("symlink_loop", "is a symbolic link that points back to itself")
    TRUNCATED = ("truncated", "is cut short: it ends before the length that it declares")
    ELEMENT_BEYOND_FILE = (
        "element_beyond_file",
        "contains an element that declares more bytes than the whole file has",
    )
    TOO_DEEP = ("too_deep", "nests sequences too deeply to be read")
    TOO_LARGE_INFLATED = (
        "too_large_inflated",
        "decompresses to more than is accepted: 64 MiB of deflated DICOM, 8 GiB of NIfTI, or what its header declares",
    )
    UNREADABLE = ("unreadable", "cannot be read: its content is malformed")
    PIXEL_DATA_MISSING = ("pixel_data_missing", "is an image according to its SOP class, but has no pixel data")
    PIXEL_DATA_SHORT = ("pixel_data_short", "has less pixel data than its rows, columns and frames need")
    PIXEL_DATA_UNDECODABLE = ("pixel_data_undecodable", "has pixel data that cannot be decoded")
    UNSUPPORTED_PIXELS = (
        "unsupported_pixels",
        "has pixels of a kind that is not read: colour of more than 8 bits, signed 8-bit values, Lab colour or NaN",
    )
    DICOMDIR_ESCAPES = (
        "dicomdir_escapes",
        "is a DICOMDIR that refers to files outside its own folder; the references are not followed",
    )
    MISSING_SOP_INSTANCE_UID = ("missing_sop_instance_uid", "has no valid SOPInstanceUID, so nothing can refer to it")
    INVALID_STUDY_UID = (
        "invalid_study_uid",
        "is a study of an archive whose StudyInstanceUID is not a UID, so the archive cannot be asked for its images",
    )
    DUPLICATE_SOP_INSTANCE_UID = (
        "duplicate_sop_instance_uid",
        "is a copy: it has the SOPInstanceUID, patient, study and device of an earlier file; the earlier one counts",
    )
    CONFLICTING_DUPLICATE = (
        "conflicting_duplicate",
        "has the SOPInstanceUID of another file, but another patient, study or device; both are undetermined",
    )
    PLACEHOLDER_PATIENT_ID = (
        "placeholder_patient_id",
        "has a placeholder such as ANONYMOUS in place of a PatientID; it counts, but belongs to no patient",
    )
    MISSING_PATIENT_ID = (
        "missing_patient_id",
        "has no PatientID; it counts, but belongs to no patient",
    )
    UNDECODABLE_TEXT = (
        "undecodable_text",
        "contains text that cannot be decoded or is far too long; it counts, but that text is missing",
    )
    INVALID_UID = ("invalid_uid", "contains an invalid UID; it counts, but that UID is missing")
    INVALID_DATE = ("invalid_date", "contains an invalid date; it counts, but that date is unknown")
    INVALID_AGE = ("invalid_age", "contains an invalid age; it counts, but that age is unknown")
    INVALID_NUMBER = ("invalid_number", "contains an invalid number; it counts, but that number is unknown")
    SEVERAL_NUMBERS = (
        "several_numbers",
        "has several values of a number, such as one per frame; it counts, but arithmetic and statistics need one",
    )
    CONTRADICTING_LATERALITY = (
        "contradicting_laterality",
        "has tags that contradict each other about left and right; it counts, but its laterality is missing",
    )
    INVALID_LATERALITY = (
        "invalid_laterality",
        "has a laterality that is neither right, left nor both; it counts, but its laterality is missing",
    )
    WHOLE_SLIDE = (
        "whole_slide",
        "is a whole-slide image: its frames are tiles of one large image; it counts as one image",
    )
    PIXELS_NOT_CHECKED = (
        "pixels_not_checked",
        "is compressed in a way that no installed decoder supports; it counts, but its pixels are not checked",
    )
    SEVERAL_FRAMES = (
        "several_frames",
        "contains several frames or pages; it counts, but is only read if `frame` chooses one",
    )
    TRANSPARENT_PIXELS = (
        "transparent_pixels",
        "has transparent pixels; it counts, but is only read if `background` says what is behind them",
    )
    UNKNOWN_VALUE_RANGE = (
        "unknown_value_range",
        "has 32-bit or floating-point values of no stated range; it counts, but is only read if `value_range` is set",
    )
    PATIENT_WITH_TWO_SEXES = (
        "patient_with_two_sexes",
        "belongs to a patient whose images state different sexes; there may be two people behind one identifier",
    )
    PATIENT_WITH_TWO_BIRTH_DATES = (
        "patient_with_two_birth_dates",
        "belongs to a patient whose images state different birth dates; there may be two people behind one identifier",
    )
    PATIENT_WITH_TWO_ISSUERS = (
        "patient_with_two_issuers",
        "has a PatientID that several issuers gave, maybe to two people: see --patient-key PatientID,IssuerOfPatientID",
    )
    STUDY_WITH_TWO_PATIENTS = ("study_with_two_patients", "belongs to a study with images of several patients")
    NO_PREAMBLE = ("no_preamble", "is DICOM without the preamble that marks such files; it counts")
    PARTIAL_DATE = (
        "partial_date",
        "contains a date without its day or month; it counts, and that date stands for the whole month or year",
    )
    IMPLAUSIBLE_AGE = (
        "implausible_age",
        "contains an age of 000Y, or of 120 years or more; it counts, but its age is unknown without implausible: keep",
    )
    IMPLAUSIBLE_DATE = (
        "implausible_date",
        "contains a date up to 1900-01-01 or after the build; it counts, but is unknown without implausible: keep",
    )
    DATES_SHIFTED = (
        "dates_shifted",
        "contains a date that de-identification has shifted beyond the day of the build; it counts",
    )

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence

    @property
    def usable(self) -> bool:
        """Whether a file with this fault still counts as an image."""
        return self in _USABLE

    @classmethod
    def of(cls, code: str) -> Fault:
        """Return the fault with this code.

        Raises:
            KeyError: No fault has the code.
        """
        return _BY_CODE[code]


# What joins the codes of a row.
SEPARATOR = "\\"
_BY_CODE = {fault.code: fault for fault in Fault}
# This fault and all after it are usable.
_USABLE = frozenset(list(Fault)[list(Fault).index(Fault.CONFLICTING_DUPLICATE) :])
# The day of the build decides about these, so they are not part of an index's content; all others are graver.
OF_THE_DAY = (Fault.IMPLAUSIBLE_DATE, Fault.DATES_SHIFTED)


def usable_faults() -> tuple[str, ...]:
    """Return the codes of the usable faults; `usable.py` decides by them which rows count as images."""
    return tuple(fault.code for fault in Fault if fault.usable)


def joined(codes: Iterable[str]) -> str | None:
    r"""Return codes as the column `faults` has them, gravest first; null if there is none.

    >>> joined(["invalid_date", "truncated", "invalid_date"])
    'truncated\\invalid_date'
    """
    found = set(codes)
    return SEPARATOR.join(code for code in _BY_CODE if code in found) or None


def split(faults: str | None) -> list[str]:
    """Return the codes in a value of the column `faults`, gravest first."""
    return faults.split(SEPARATOR) if faults else []


def fault_of_os_error(error: OSError) -> Fault:
    """Return the fault of a file that the operating system would not open or stat."""
    if isinstance(error, PermissionError):
        return Fault.PERMISSION_DENIED
    return Fault.SYMLINK_LOOP if error.errno == errno.ELOOP else Fault.UNREADABLE
