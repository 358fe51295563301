"""What can be wrong with a file: a code, a sentence, and whether the file still counts as an image."""

from __future__ import annotations

import errno
from enum import Enum


class Fault(Enum):
    """A fault; a row of the index has its code in the column `fault`.

    `sentence` describes it to a person and follows the name of a file. A fault that leaves the pixels intact is
    `usable`: the image is marked, and still counts.
    """

    NOT_AN_IMAGE = (
        "not_an_image",
        "is not an image: neither DICOM (marked DICM at byte 128), NIfTI, JPEG, PNG, TIFF nor BMP",
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
    DICOMDIR_ESCAPES = (
        "dicomdir_escapes",
        "is a DICOMDIR that refers to files outside its own folder; the references are not followed",
    )
    MISSING_SOP_INSTANCE_UID = ("missing_sop_instance_uid", "has no valid SOPInstanceUID, so nothing can refer to it")
    DUPLICATE_SOP_INSTANCE_UID = (
        "duplicate_sop_instance_uid",
        "has the same SOPInstanceUID as an earlier file; the earlier one counts",
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
    INVALID_DATE = ("invalid_date", "contains an invalid date; it counts, but that date is missing")
    INVALID_AGE = ("invalid_age", "contains an invalid age; it counts, but that age is missing")
    INVALID_NUMBER = ("invalid_number", "contains an invalid number; it counts, but that number is missing")
    PIXELS_NOT_CHECKED = (
        "pixels_not_checked",
        "is compressed in a way that no installed decoder supports; it counts, but its pixels are not checked",
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


_BY_CODE = {fault.code: fault for fault in Fault}
_USABLE = frozenset(
    (
        Fault.MISSING_PATIENT_ID,
        Fault.UNDECODABLE_TEXT,
        Fault.INVALID_UID,
        Fault.INVALID_DATE,
        Fault.INVALID_AGE,
        Fault.INVALID_NUMBER,
        Fault.PIXELS_NOT_CHECKED,
    )
)


def usable_faults() -> tuple[str, ...]:
    """Return the codes of the usable faults; `usable.py` decides by them which rows count as images."""
    return tuple(fault.code for fault in Fault if fault.usable)


def fault_of_os_error(error: OSError) -> Fault:
    """Return the fault of a file that the operating system would not open or stat."""
    if isinstance(error, PermissionError):
        return Fault.PERMISSION_DENIED
    return Fault.SYMLINK_LOOP if error.errno == errno.ELOOP else Fault.UNREADABLE
