from __future__ import annotations

import struct

import pytest

from monai_unlearn.index.fast_readers.pixels import check_fragments, expected_length
from monai_unlearn.index.fast_readers.values import OddFileError

DESCRIBED = {"SamplesPerPixel": 3, "Rows": 4, "Columns": 5, "BitsAllocated": 16}
ITEM, DELIMITER = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)


def test_length_is_the_product_of_what_describes_the_pixels():
    assert expected_length(DESCRIBED, "RGB") == 3 * 4 * 5 * 2
    assert expected_length({**DESCRIBED, "NumberOfFrames": 7}, "RGB") == 3 * 4 * 5 * 2 * 7


@pytest.mark.parametrize(
    ("change", "photometric"),
    [
        ({"BitsAllocated": 1}, "MONOCHROME2"),
        ({"Rows": 0}, "RGB"),
        ({"NumberOfFrames": 0}, "RGB"),
        ({}, "YBR_FULL_422"),
    ],
)
def test_length_that_is_not_certain_is_odd(change, photometric):
    with pytest.raises(OddFileError, match="^$"):
        expected_length({**DESCRIBED, **change}, photometric)


@pytest.mark.parametrize("missing", DESCRIBED)
def test_missing_description_is_odd(missing):
    with pytest.raises(OddFileError, match="^$"):
        expected_length({name: value for name, value in DESCRIBED.items() if name != missing}, "RGB")


def fragments(*items, end=b""):
    return b"".join(struct.pack("<HHL", *tag, len(value)) + value for tag, value in items) + end


def check(tmp_path, content):
    path = tmp_path / "a"
    path.write_bytes(b"head" + content)
    with path.open("rb") as stream:
        check_fragments(stream.fileno(), 4, len(content) + 4)


def test_fragments_up_to_the_end_of_the_file_are_accepted(tmp_path):
    check(tmp_path, fragments((ITEM, b""), (ITEM, b"abcd"), (DELIMITER, b"")))


@pytest.mark.parametrize(
    "content",
    [
        fragments((ITEM, b""), (DELIMITER, b"")),  # an offset table without a fragment
        fragments((ITEM, b""), (ITEM, b"abcd")),
        fragments((ITEM, b""), (ITEM, b"abcd"), (DELIMITER, b""), end=b"more"),
        fragments((ITEM, b""), (ITEM, b"abcd"), (DELIMITER, b""))[:-1],
        fragments((ITEM, b""), ((0x0008, 0x0005), b"abcd"), (DELIMITER, b"")),
        fragments(*[(ITEM, b"")] * 300, (DELIMITER, b"")),
    ],
)
def test_other_content_is_odd(content, tmp_path):
    with pytest.raises(OddFileError, match="^$"):
        check(tmp_path, content)
