"""From the metadata of an image, as DICOM JSON, to the row that `index build` makes of its file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pydicom.uid import UID

from monai_unlearn.index.faults import Fault, joined
from monai_unlearn.index.patient_key import ISSUED_BY
from monai_unlearn.index.readers.deflated import FORMAT
from monai_unlearn.index.readers.dicom import fault_of_class
from monai_unlearn.index.readers.functional_groups import GROUPS
from monai_unlearn.index.readers.identity import settled
from monai_unlearn.index.readers.pixels import PIXEL_TAGS
from monai_unlearn.index.readers.row import OTHER_IDS, tag_paths, tagged
from monai_unlearn.index.readers.tag_values import spelled
from monai_unlearn.index.sources.json_values import decoded, value_of
from monai_unlearn.index.tag_path import TagPath
from monai_unlearn.index.values import UNDECODED, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.index.readers.row import Row

    Item = Mapping[str, Any]

_PIXELS = tuple(f"{tag:08X}" for tag in sorted(PIXEL_TAGS))
_ROWS = "00280010"
_GROUPS = tuple(f"{tag:08X}" for tag in GROUPS)
_PATIENT, _ISSUER = "00100020", "00100021"


def row_of(item: Item, *, tells_pixels: bool) -> Row:
    """Return the row of an image, settled like that of a file.

    Args:
        item: Its metadata.
        tells_pixels: Whether the metadata of an image with pixels names them, as WADO-RS does with bulk data. If not,
            an image class without pixels is not known to lack them.
    """
    # Nearly all of the vocabulary are plain tags, and nearly no image has functional groups.
    has_groups = any(group in item for group in _GROUPS)
    values: dict[str, object] = {}
    for name, path, tag in _columns():
        values[name] = value_of(item, path) if tag is None or has_groups else decoded(item.get(tag))
    values[OTHER_IDS] = _issued(item)
    row, faults = tagged(values)
    fault = _fault(item, str(values["SOPClassUID"] or ""), tells_pixels=tells_pixels)
    found = [*([] if fault is None else [fault]), *faults]
    if found:
        row = {**row, "fault": found[0].code, "faults": joined(fault.code for fault in found)}
    return settled({"format": FORMAT, **row})


def names_pixels(item: Item) -> bool:
    """Return whether metadata name the pixels of an image, as bulk data or otherwise."""
    return any(tag in item for tag in _PIXELS)


def texts_of(item: Item, tags: Sequence[str]) -> dict[str, str]:
    """Return the text of each of these tags that has a value, as `readers.dicom_tags.read_tags` does of a file.

    Args:
        item: The metadata of an image.
        tags: Paths, as `TagPath` spells them.
    """
    found = {tag: _text(value_of(item, TagPath.parse(tag))) for tag in tags}
    return {tag: value for tag, value in found.items() if value is not None}


def _text(value: object) -> str | None:
    if value is None:
        return None
    several = value if isinstance(value, list) else [value]
    found = text([spelled(part) if isinstance(part, float | bytes) else part for part in several])
    return UNDECODED if found is not None and UNDECODED in found else found


def _fault(item: Item, class_uid: str, *, tells_pixels: bool) -> Fault | None:
    if names_pixels(item):
        return None
    fault = fault_of_class(_uid(class_uid), has_rows=_ROWS in item)
    return fault or (Fault.PIXEL_DATA_MISSING if tells_pixels else None)


@cache
def _columns() -> tuple[tuple[str, TagPath, str | None], ...]:
    """Return the columns with their paths, and with the name of the tag where that is all there is to a path."""
    return tuple(
        (name, path, f"{path.last.tag:08X}" if path.is_plain and not path.is_meta else None)
        for name, path in tag_paths().items()
    )


@cache
def _uid(text: str) -> UID:
    return UID(text)


def _issued(item: Item) -> list[str]:
    """Return the identifiers in the items of OtherPatientIDsSequence, each with its issuer if the item has one."""
    element = item.get(_OTHERS)
    found = []
    for other in element.get("Value") or () if isinstance(element, dict) else ():
        name, issuer = (text(decoded(other.get(tag))) for tag in (_PATIENT, _ISSUER))
        if name is not None:
            found.append(name if issuer is None else f"{name}{ISSUED_BY}{issuer}")
    return found


_OTHERS = "00101002"
