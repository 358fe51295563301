"""A small sRGB profile, for the ICC Profile module of colour images (DICOM PS3.3 C.11.15).

Written here because profiles that libraries generate contain the current date and the library's version.
"""

from __future__ import annotations

import struct
from functools import cache

_GAMMA = 2.2  # the usual approximation of the sRGB curve
_D50 = (0.9642, 1.0, 0.8249)
# The primaries of sRGB (IEC 61966-2-1), adapted from D65 to D50 by the Bradford method.
_PRIMARIES = {
    b"rXYZ": (0.4361, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}


@cache
def srgb_profile() -> bytes:
    """Return an ICC 2.1 matrix/TRC input profile (ICC.1:1998-09, 6.3.1.2)."""
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(_GAMMA * 256))
    elements = {b"desc": _description("sRGB"), b"cprt": b"text" + bytes(4) + b"No copyright\0", b"wtpt": _xyz(_D50)}
    elements |= {tag: _xyz(primary) for tag, primary in _PRIMARIES.items()}
    elements |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    offset = 128 + 4 + 12 * len(elements)
    table, body = struct.pack(">I", len(elements)), b""
    for tag, element in elements.items():
        table += tag + struct.pack(">II", offset + len(body), len(element))
        body += element + bytes(-len(element) % 4)
    return _header(128 + len(table) + len(body)) + table + body


def _header(length: int) -> bytes:
    created = struct.pack(">6H", 2015, 1, 1, 0, 0, 0)
    start = struct.pack(">I4sI", length, bytes(4), 0x02100000) + b"scnr" + b"RGB " + b"XYZ " + created + b"acsp"
    return (start + bytes(28) + _xyz(_D50)[8:]).ljust(128, b"\0")


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _description(text: str) -> bytes:
    ascii_text = text.encode("ascii") + b"\0"
    # An empty Unicode and an empty ScriptCode description must follow.
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_text)) + ascii_text + bytes(8 + 3 + 67)
