"""Whether a file ends where its pixel data declares, without pydicom, for the two forms that nearly all files have."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from monai_unlearn.index.fast_readers.values import OddFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ITEM = struct.Struct("<HHL")
_ITEM_TAG, _DELIMITER_TAG = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_MOST_FRAGMENTS = 256


def expected_length(described: Mapping[str, int], photometric: str) -> int:
    """Return how many bytes uncompressed pixels need, without padding.

    Args:
        described: The numbers among `DESCRIBES_PIXELS` of the pydicom reader.
        photometric: The Photometric Interpretation.

    Raises:
        OddFileError: The size is not described, or samples do not have whole bytes.
    """
    try:
        bits = described["BitsAllocated"]
        size = described["Rows"] * described["Columns"] * described["SamplesPerPixel"] * bits // 8
    except KeyError:
        raise OddFileError from None
    size *= described.get("NumberOfFrames", 1)
    if bits % 8 or size < 1 or photometric == "YBR_FULL_422":
        raise OddFileError
    return size


def check_fragments(descriptor: int, offset: int, size: int) -> None:
    """Check that encapsulated pixel data has fragments, and that the file ends with its delimiter (DICOM PS3.5 A.4).

    Args:
        descriptor: The open file.
        offset: Where the value of the pixel data begins.
        size: How many bytes the file has.

    Raises:
        OddFileError: It does not, or there are many fragments.
    """
    for number in range(_MOST_FRAGMENTS):
        head = os.pread(descriptor, _ITEM.size, offset)
        if len(head) < _ITEM.size:
            break
        group, element, length = _ITEM.unpack(head)
        offset += _ITEM.size
        if (group, element) == _DELIMITER_TAG and number > 1 and offset == size:
            return
        if (group, element) != _ITEM_TAG:
            break
        offset += length
    raise OddFileError
