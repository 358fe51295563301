from __future__ import annotations

import struct

import pytest

from monai_unlearn.index.fast_readers import Reader, read_files
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.no_preamble import starts_with_element


def test_file_without_a_preamble_is_read_with_a_note(tmp_path, make_dicom):
    whole = make_dicom(tmp_path / "whole.dcm", 3)
    bare, dataset_only = tmp_path / "bare.dcm", tmp_path / "dataset.dcm"
    content = whole.read_bytes()
    bare.write_bytes(content[132:])
    length = struct.unpack_from("<L", content, 140)[0]
    dataset_only.write_bytes(content[144 + length :])
    expected = read_file(whole)
    for path in (bare, dataset_only):
        found = read_file(path)
        assert found["faults"] == "no_preamble"
        assert {**found, "fault": None, "faults": None} == {**expected, "fault": None, "faults": None}


@pytest.mark.parametrize("reader", [Reader.PLAIN, Reader.PYDICOM])
def test_readers_agree_on_it(reader, tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[132:])
    file = Listed(path=str(path), relative="a.dcm", named=False)
    assert read_files([file], reader=reader)["faults"].to_pylist() == ["no_preamble"]


def test_cut_file_without_a_preamble_is_cut_short(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[132:-10])
    assert read_file(path)["faults"] == "truncated\\no_preamble"


@pytest.mark.parametrize(
    "head",
    [
        b"\x02\x00\x00\x00UL\x04\x00\xc0\x00\x00\x00",
        b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100",
        b"\x00\x08\x00\x05CS\x00\x0aISO_IR 100",  # big endian
        b"\x08\x00\x00\x00\x04\x00\x00\x00\x10\x00\x00\x00\x08\x00\x08\x00\x02\x00\x00\x00A ",  # implicit, ACR-NEMA
    ],
)
def test_first_element_is_recognised(head):
    assert starts_with_element(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x08\x00",
        b"\x08\x00\x05\x00XX\x0a\x00ISO_IR 100",
        b"\x08\x00\x05\x00\x04\x00\x00\x00abcdwords and more words",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\r",
        b"II*\x00\x08\x00\x00\x00",
        b"MM\x00*\x00\x00\x00\x08",
        b"BM\x08\x00\x00\x00\x00\x00",
        b"\x5c\x01\x00\x00" + bytes(100),
        bytes(132),
        b"words, many words",
    ],
)
def test_other_content_is_not(head):
    assert not starts_with_element(head)
