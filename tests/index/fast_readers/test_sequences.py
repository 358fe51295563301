from __future__ import annotations

import struct

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from same_rows import assert_same, is_fast

from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.fast_readers.sequences import UNDEFINED, MoreError, end_of_sequence, explicit_value
from monai_unlearn.index.fast_readers.values import OddFileError


def delimiter(element, length=0):
    return struct.pack("<HHL", 0xFFFE, element, length)


ITEM, END_OF_ITEM, END = 0xE000, delimiter(0xE00D), delimiter(0xE0DD)
SHORT = b"\x10\x00\x20\x00LO\x02\x00P1"


def nested(depth):
    head = b"\x08\x00\x12\x11SQ\0\0" + struct.pack("<L", UNDEFINED)
    return head + delimiter(ITEM, UNDEFINED) + (nested(depth - 1) if depth else b"") + END_OF_ITEM + END


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (SHORT, (8, 2)),
        (b"\x08\x00\x12\x11SQ\0\0" + struct.pack("<L", 70_000), (12, 70_000)),
    ],
)
def test_explicit_value_has_a_short_or_a_long_length(element, expected):
    assert explicit_value(element, 0) == expected
    assert explicit_value(b"more" + element, 4) == (expected[0] + 4, expected[1])


def test_unknown_representation_is_odd_and_missing_bytes_need_more():
    with pytest.raises(OddFileError, match="^$"):
        explicit_value(b"\x10\x00\x20\x00XX" + bytes(20), 0)
    with pytest.raises(MoreError, match="^$"):
        explicit_value(b"\x10\x00\x20", 0)


@pytest.mark.parametrize(
    "items",
    [
        b"",
        delimiter(ITEM, len(SHORT)) + SHORT,
        delimiter(ITEM, UNDEFINED) + SHORT + END_OF_ITEM,
        delimiter(ITEM, UNDEFINED) + nested(3) + SHORT + END_OF_ITEM,
    ],
)
def test_sequence_ends_behind_its_delimiter(items):
    content = b"head" + items + END
    assert end_of_sequence(content + SHORT, 4, b"SQ") == len(content)
    with pytest.raises(MoreError, match="^$"):
        end_of_sequence(content[:-1], 4, b"SQ")


@pytest.mark.parametrize(
    ("vr", "content"), [(b"UN", END), (b"SQ", SHORT), (b"SQ", delimiter(ITEM, UNDEFINED) + nested(40))]
)
def test_other_content_is_odd(vr, content):
    with pytest.raises(OddFileError, match="^$"):
        end_of_sequence(content, 0, vr)


def test_same_rows_of_sequences_of_undefined_length(tmp_path, dataset):
    files = []
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        made = dataset(3, syntax=syntax)
        item = Dataset()
        item.ReferencedSOPInstanceUID = "1.2.3"
        item.PurposeOfReferenceCodeSequence = [Dataset()]
        item["PurposeOfReferenceCodeSequence"].is_undefined_length = True
        item.is_undefined_length_sequence_item = True
        made.SourceImageSequence = [item, Dataset()]
        made["SourceImageSequence"].is_undefined_length = True
        files.append(tmp_path / syntax)
        made.save_as(files[-1], enforce_file_format=True)
    assert_same(files, Reader.PLAIN)
    assert all(is_fast(path, Reader.PLAIN) for path in files)
