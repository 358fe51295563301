"""Where explicit values and sequences of undefined length end, in the bytes of a little endian DICOM file."""

from __future__ import annotations

from monai_unlearn.index.fast_readers.values import OddFileError

UNDEFINED = 0xFFFFFFFF
# Value representations by the size of their length field (DICOM PS3.5 section 7.1.2).
LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_ITEM, _END_OF_ITEM, _END_OF_SEQUENCE = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
_DEEPEST = 16


class MoreError(Exception):
    """The header continues beyond what has been read."""


def explicit_value(content: bytes, position: int) -> tuple[int, int]:
    """Return where the value of an explicit element begins, and its length.

    Args:
        content: The beginning of a file.
        position: Where the element begins.

    Raises:
        MoreError: The element begins behind the content.
        OddFileError: Its value representation is unknown.
    """
    vr = content[position + 4 : position + 6]
    if vr in SHORT:
        return position + 8, int.from_bytes(content[position + 6 : position + 8], "little")
    if vr in LONG:
        return position + 12, int.from_bytes(content[position + 8 : position + 12], "little")
    raise OddFileError if position + 12 <= len(content) else MoreError


def end_of_sequence(content: bytes, position: int, vr: bytes, *, is_implicit: bool = False, depth: int = 0) -> int:
    """Return where a sequence of undefined length ends (DICOM PS3.5 section 7.5).

    Args:
        content: The beginning of a file.
        position: Where the value of the sequence begins.
        vr: Its value representation.
        is_implicit: Whether the elements in it are implicit.
        depth: The number of sequences around it.

    Raises:
        MoreError: It ends behind the content.
        OddFileError: It is not a sequence, nests too deeply, or is malformed.
    """
    if vr != b"SQ" or depth > _DEEPEST:
        raise OddFileError
    while position + 8 <= len(content):
        tag = content[position : position + 4]
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        position += 8
        if tag == _END_OF_SEQUENCE:
            return position
        if tag != _ITEM:
            raise OddFileError
        position = (
            position + length
            if length != UNDEFINED
            else _end_of_item(content, position, is_implicit=is_implicit, depth=depth)
        )
    raise MoreError


def _end_of_item(content: bytes, position: int, *, is_implicit: bool, depth: int) -> int:
    while position + 8 <= len(content):
        if content[position : position + 4] == _END_OF_ITEM:
            return position + 8
        vr = b"SQ" if is_implicit else content[position + 4 : position + 6]
        start, length = (
            (position + 8, int.from_bytes(content[position + 4 : position + 8], "little"))
            if is_implicit
            else explicit_value(content, position)
        )
        position = (
            start + length
            if length != UNDEFINED
            else end_of_sequence(content, start, vr, is_implicit=is_implicit, depth=depth + 1)
        )
    raise MoreError
