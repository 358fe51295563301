"""Recognising DICOM data without the preamble: it begins with its first element."""

from __future__ import annotations

import struct

from pydicom.datadict import dictionary_has_tag, dictionary_VR

# The groups of File Meta Information and of the first elements of a data set.
_META, _IDENTIFYING = 0x0002, 0x0008
_LONGEST_FIRST_VALUE = 256
_SHORT = struct.Struct("<HHL")


def starts_with_element(head: bytes) -> bool:
    """Return whether these bytes are the start of a DICOM element that comes first in a file, and then of another.

    Data sets are accepted with explicit value representations in either byte order, and little endian without.

    Args:
        head: The first 132 bytes of a file, or all of them.
    """
    return _is_explicit(head, "<") or _is_explicit(head, ">") or _is_implicit(head)


def _is_explicit(head: bytes, order: str) -> bool:
    if len(head) < _SHORT.size:
        return False
    group, element = struct.unpack_from(f"{order}HH", head)
    if group not in (_META, _IDENTIFYING) or (group == _META and order == ">"):
        return False
    tag = (group << 16) | element
    return _vr(tag) == head[4:6]


def _is_implicit(head: bytes) -> bool:
    """Return whether two elements of group 8 follow each other: without a value representation, one proves little."""
    position, before = 0, -1
    for _ in range(2):
        if len(head) < position + _SHORT.size:
            return False
        group, element, length = _SHORT.unpack_from(head, position)
        tag = (group << 16) | element
        if group != _IDENTIFYING or tag <= before or not _vr(tag) or length > _LONGEST_FIRST_VALUE:
            return False
        position, before = position + _SHORT.size + length, tag
    return True


def _vr(tag: int) -> bytes:
    """Return the value representation of a tag; empty if the dictionary does not have it."""
    if tag & 0xFFFF == 0:
        return b"UL"  # the length of a group
    return dictionary_VR(tag).encode() if dictionary_has_tag(tag) else b""
