"""The reader of DICOM files: the tags of the vocabulary, read with pydicom, and the fault of a damaged file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pydicom.sequence import Sequence
from pydicom.uid import UID, UID_dictionary

from monai_unlearn.index.faults import Fault, joined
from monai_unlearn.index.patient_key import ISSUED_BY
from monai_unlearn.index.readers import dicomdir
from monai_unlearn.index.readers.charset import knows_charset
from monai_unlearn.index.readers.deflated import FORMAT, HEAD, PREFIX
from monai_unlearn.index.readers.header import HeaderEnd, read_header
from monai_unlearn.index.readers.lenient import MALFORMED, lenient_values, value_of
from monai_unlearn.index.readers.no_preamble import starts_with_element
from monai_unlearn.index.readers.pixels import check_pixels
from monai_unlearn.index.readers.row import OTHER_IDS, FaultyFileError, Row, tag_paths, tagged
from monai_unlearn.index.readers.tag_values import value_of_path
from monai_unlearn.index.values import UIDS, UNDECODED, is_empty, text
from monai_unlearn.vocabulary.sop_classes import is_derived, is_image_like

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from monai_unlearn.index.tag_path import TagPath

__all__ = ["FORMAT", "HEAD", "read", "recognises"]


def recognises(head: bytes) -> bool:
    r"""Return whether a file that starts with these 132 bytes is a DICOM file, with or without a preamble.

    With one, it is marked DICM (DICOM PS3.10 section 7.1). Without one, it begins with an element of group 2 or 8.

    >>> recognises(bytes(128) + b"DICM"), recognises(bytes.fromhex("08000500") + b"CS\x0a\x00ISO_IR 100" + bytes(99))
    (True, True)
    """
    return head[128:132] == PREFIX or starts_with_element(head)


def read(stream: BinaryIO) -> Row:
    """Read the row of a DICOM image.

    Args:
        stream: The file, at its start.

    Raises:
        FaultyFileError: The file is not an image, is cut short, nests too deeply, inflates too far, has no identifier,
            or has an invalid value; the error's row contains what was read.
    """
    with lenient_values():
        dataset, end = read_header(stream)
        row, faults = tagged(_values(dataset, end))
        row = {"format": FORMAT, **row}
        try:
            fault = _fault(dataset, end)
        except MALFORMED:
            fault = Fault.UNREADABLE
    found = [*([] if fault is None else [fault]), *([] if end.has_preamble else [Fault.NO_PREAMBLE]), *faults]
    if found:
        raise FaultyFileError(found[0], {**row, "faults": joined(fault.code for fault in found)})
    return row


def _fault(dataset: Dataset, end: HeaderEnd) -> Fault | None:
    if end.pixels is not None:
        return end.fault() or check_pixels(dataset, end.pixels)
    meta = getattr(dataset, "file_meta", {})
    class_uid = UID(str(dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID", "")))
    if class_uid == dicomdir.MEDIA_STORAGE_DIRECTORY:
        return Fault.DICOMDIR_ESCAPES if dicomdir.escapes(end.stream) else Fault.NOT_AN_IMAGE
    return fault_of_class(class_uid, has_rows="Rows" in dataset) or end.fault()


def fault_of_class(class_uid: UID, *, has_rows: bool) -> Fault | None:
    """Return what an object without pixel data is, by its SOP class; null if it should have pixels.

    Args:
        class_uid: The SOP class.
        has_rows: Whether the object has the tag Rows.
    """
    # An image without pixels was cut before them; a report, a plan or a waveform never had any.
    if is_derived(class_uid) and not is_image_like(class_uid) and not has_rows:
        return Fault.DERIVED_OBJECT
    is_image = (
        is_image_like(class_uid) or "Image Storage" in class_uid.name or class_uid not in UID_dictionary or has_rows
    )
    return None if is_image else Fault.NOT_AN_IMAGE


def _values(dataset: Dataset, end: HeaderEnd) -> dict[str, object]:
    """Return the decoded value of each keyword; `UNDECODED` if it is too long or cannot be decoded."""
    is_known = knows_charset(value_of(dataset, "SpecificCharacterSet"))
    if not is_known:
        # Decodes every byte: where an encoding fails, pydicom would try the bytes as numbers.
        dataset.set_original_encoding(*dataset.original_encoding, character_encoding="ISO_IR 100")
    values: dict[str, object] = {name: _value(dataset, path, end) for name, path in tag_paths().items()}
    values[OTHER_IDS] = _issued(values[OTHER_IDS])
    if not is_known:
        lost = [name for name, value in values.items() if name not in UIDS and not (text(value) or "").isascii()]
        values.update(dict.fromkeys(lost, UNDECODED))
    return values


def _value(dataset: Dataset, path: TagPath, end: HeaderEnd) -> object:
    if end.too_long.intersection(path.roots):  # asking pydicom for a deferred value would load it
        return UNDECODED
    value = value_of_path(dataset, path)
    return end.groups.values.get(path, value) if is_empty(value) else value


def _issued(items: object) -> object:
    """Return the identifiers in the items of OtherPatientIDsSequence, each with its issuer if the item has one."""
    if not isinstance(items, Sequence):
        return items
    found = []
    for item in items:
        name, issuer = (text(value_of(item, keyword)) for keyword in ("PatientID", "IssuerOfPatientID"))
        if name is not None:
            found.append(name if issuer is None else f"{name}{ISSUED_BY}{issuer}")
    return found
