"""What can be wrong with a file: a code and a sentence each, and whether it still counts as an image."""

from __future__ import annotations

import errno
from enum import Enum


class Fault(Enum):
    """A fault that a row of the index carries as its code.

    `sentence` says it to a person, as what follows a file's name. An image stays `usable` where the fault
    takes nothing from its pixels: it is marked, and counts.
    """

    NOT_AN_IMAGE = (
        "not_an_image",
        "holds no image: it is neither a DICOM image (marked DICM at byte 128), NIfTI, nor a JPEG, PNG, TIFF or BMP",
    )
    EMPTY_FILE = ("empty_file", "is empty: it holds zero bytes")
    PERMISSION_DENIED = ("permission_denied", "may not be read by this user")
    PATH_NOT_UNICODE = ("path_not_unicode", "has a name that is not Unicode text; rename it")
    SYMLINK_LOOP = ("symlink_loop", "is a link that leads back to itself")
    TRUNCATED = ("truncated", "is cut short: it ends before what it declares")
    ELEMENT_BEYOND_FILE = (
        "element_beyond_file",
        "holds an element that declares more bytes than the whole file has",
    )
    TOO_DEEP = ("too_deep", "nests sequences deeper than can be read")
    TOO_LARGE_INFLATED = (
        "too_large_inflated",
        "inflates to more than is accepted: 64 MiB of deflated DICOM, 8 GiB of NIfTI, or what its header declares",
    )
    UNREADABLE = ("unreadable", "cannot be read: its content is malformed")
    PIXEL_DATA_MISSING = ("pixel_data_missing", "is an image by its class, and holds no pixel data")
    PIXEL_DATA_SHORT = ("pixel_data_short", "holds less pixel data than its rows, columns and frames take")
    PIXEL_DATA_UNDECODABLE = ("pixel_data_undecodable", "holds pixel data that cannot be decoded")
    DICOMDIR_ESCAPES = (
        "dicomdir_escapes",
        "is a DICOMDIR that refers to files outside its own folder; no index follows it",
    )
    MISSING_SOP_INSTANCE_UID = ("missing_sop_instance_uid", "has no valid SOPInstanceUID, so nothing can name it")
    DUPLICATE_SOP_INSTANCE_UID = (
        "duplicate_sop_instance_uid",
        "carries a SOPInstanceUID that an earlier file carries already; the earlier one counts",
    )
    MISSING_PATIENT_ID = (
        "missing_patient_id",
        "has no patient identity; it counts, but belongs to no patient",
    )
    UNDECODABLE_TEXT = (
        "undecodable_text",
        "holds text that cannot be decoded or is far too long; it counts, but that text is missing",
    )
    INVALID_UID = ("invalid_uid", "holds a UID that is none; it counts, but that UID is missing")
    INVALID_DATE = ("invalid_date", "holds a date that is none; it counts, but that date is missing")
    INVALID_AGE = ("invalid_age", "holds an age that is none; it counts, but that age is missing")
    INVALID_NUMBER = ("invalid_number", "holds a number that is none; it counts, but that number is missing")
    PIXELS_NOT_CHECKED = (
        "pixels_not_checked",
        "is compressed in a way that nothing installed decodes; it counts, but its pixels are not checked",
    )

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence

    @property
    def usable(self) -> bool:
        """Whether the image counts all the same."""
        return self in _USABLE

    @classmethod
    def of(cls, code: str) -> Fault:
        """Return the fault of this code.

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
    """Return the codes of rows that still count as images, besides those without a fault."""
    return tuple(fault.code for fault in Fault if fault.usable)


def fault_of_os_error(error: OSError) -> Fault:
    """Return why the operating system would not open or look at a file."""
    if isinstance(error, PermissionError):
        return Fault.PERMISSION_DENIED
    return Fault.SYMLINK_LOOP if error.errno == errno.ELOOP else Fault.UNREADABLE
