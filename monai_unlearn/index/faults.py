"""What can be wrong with a file: a code and a sentence each, and whether it still counts as an image."""

from __future__ import annotations

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
    TRUNCATED = ("truncated", "is cut short or was stored without pixels: it ends before what it declares")
    TOO_DEEP = ("too_deep", "nests sequences deeper than can be read")
    TOO_LARGE_INFLATED = (
        "too_large_inflated",
        "inflates to more than is accepted: 64 MiB of deflated DICOM, 8 GiB of NIfTI, or what its header declares",
    )
    UNREADABLE = ("unreadable", "cannot be read: its content is malformed")
    MISSING_SOP_INSTANCE_UID = ("missing_sop_instance_uid", "has no SOPInstanceUID, so nothing can name it")
    DUPLICATE_SOP_INSTANCE_UID = (
        "duplicate_sop_instance_uid",
        "carries a SOPInstanceUID that an earlier file carries already; the earlier one counts",
    )
    MISSING_PATIENT_ID = (
        "missing_patient_id",
        "has no patient identity; it counts, but belongs to no patient",
    )

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence

    @property
    def usable(self) -> bool:
        """Whether the image counts all the same."""
        return self is Fault.MISSING_PATIENT_ID

    @classmethod
    def of(cls, code: str) -> Fault:
        """Return the fault of this code.

        Raises:
            KeyError: No fault has the code.
        """
        return _BY_CODE[code]


_BY_CODE = {fault.code: fault for fault in Fault}


def usable_faults() -> tuple[str, ...]:
    """Return the codes of rows that still count as images, besides those without a fault."""
    return tuple(fault.code for fault in Fault if fault.usable)
