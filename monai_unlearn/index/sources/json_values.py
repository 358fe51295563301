"""The values of tag paths in DICOM JSON (PS3.18 annex F), as the pydicom reader returns them for the same file."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from monai_unlearn.index.readers.functional_groups import GROUPS, NEVER_IN_GROUPS
from monai_unlearn.index.readers.header import LONGEST_VALUE
from monai_unlearn.index.readers.tag_values import Distinct
from monai_unlearn.index.values import UNDECODED, is_empty

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monai_unlearn.index.tag_path import Step, TagPath

    Item = Mapping[str, Any]

_RESERVED = range(0x10, 0x100)
# Group 2 is not part of metadata (PS3.18 section 10.4.1.1.2); these tags say the same.
_INSTEAD_OF_META = {0x00020010: "00083002", 0x00020002: "00080016", 0x00020003: "00080018"}
# The parts of a name in their order (PS3.5 section 6.2.1).
_NAME_PARTS = ("Alphabetic", "Ideographic", "Phonetic")


def value_of(item: Item, path: TagPath) -> object:
    """Return the value of a path in the metadata of an image: null if it has none, a list if there are several.

    Args:
        item: The top level.
        path: Any path. Where the top level has no value, functional groups are searched.
    """
    if path.is_meta:
        return decoded(item.get(_INSTEAD_OF_META.get(path.last.tag, "")))
    if path.is_plain:
        value = decoded(item.get(f"{path.last.tag:08X}"))
    else:
        found = Distinct()
        found.add(values_in(item, path.steps))
        value = found.merged()
    if not is_empty(value):
        return value
    in_groups = _in_groups(item, path)
    return value if in_groups is None else in_groups


def values_in(item: Item, steps: Sequence[Step]) -> Iterator[object]:
    """Yield the value of the last step in each item that has one.

    Args:
        item: Where the first step begins.
        steps: A path, or the rest of one.
    """
    element = item.get(_key(item, steps[0]) or "")
    if len(steps) == 1:
        value = decoded(element)
        if not is_empty(value):
            yield value
        return
    for inner in _items(element):
        yield from values_in(inner, steps[1:])


def decoded(element: Any) -> object:  # noqa: ANN401 - JSON
    """Return the value of an element: null if it has none or is a sequence, a list if there are several.

    It is `UNDECODED` if the server keeps the value out of the metadata, as it does with bulk data.
    """
    if not isinstance(element, dict):
        return None
    if "BulkDataURI" in element:
        return UNDECODED
    if "InlineBinary" in element:
        return _binary(element["InlineBinary"])
    values = element.get("Value")
    if not isinstance(values, list) or element.get("vr") == "SQ":
        return None
    if len(values) == 1:
        return _one(values[0])
    return [_one(value) for value in values] or None


def _one(value: Any) -> object:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        value = "=".join(str(value.get(part) or "") for part in _NAME_PARTS).rstrip("=")
    if value is None:
        return ""
    return UNDECODED if isinstance(value, str) and len(value) > LONGEST_VALUE else value


def _binary(text: object) -> object:
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return UNDECODED


def _items(element: Any) -> list[Item]:  # noqa: ANN401 - JSON
    values = element.get("Value") if isinstance(element, dict) else None
    return [item for item in values if isinstance(item, dict)] if isinstance(values, list) else []


def _key(item: Item, step: Step) -> str | None:
    """Return the name of a step's tag in an item; null if a private one is not there."""
    if step.creator is None:
        return f"{step.tag:08X}"
    group, element = step.tag >> 16, step.tag & 0xFF
    for block in _RESERVED:
        creator = decoded(item.get(f"{group:04X}00{block:02X}"))
        key = f"{group:04X}{block:02X}{element:02X}"
        if creator is not None and str(creator).strip(" \0") == step.creator and key in item:
            return key
    return None


def _in_groups(item: Item, path: TagPath) -> object:
    """Return the value of a path in the functional groups; the later sequence counts only where the first lacks it."""
    if path.steps[0].tag not in GROUPS and str(path.last) in NEVER_IN_GROUPS:
        return None
    for group in GROUPS:
        element = item.get(f"{group:08X}")
        if element is None:
            continue
        found = Distinct()
        for inner in _items(element):
            found.add(_values_of_group(inner, path, group))
        if found.values:
            return found.merged()
    return None


def _values_of_group(item: Item, path: TagPath, group: int) -> Iterator[object]:
    """Yield the values of a path in an item of functional groups, or else in the items of its macros."""
    if path.steps[0].tag == group:
        yield from values_in(item, path.steps[1:])
        return
    yield from values_in(item, path.steps)
    for element in item.values():
        for inner in _items(element):
            yield from values_in(inner, path.steps)
