from __future__ import annotations

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from monai_unlearn.index.readers.dicom_tags import read_tags, read_texts
from monai_unlearn.index.values import UNDECODED

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_keywords_with_a_value_are_returned(syntax, tmp_path, make_dicom):
    tags = {"PatientName": "Ä^B", "SpecificCharacterSet": "ISO_IR 100", "StudyID": "", "KVP": "120"}
    path = make_dicom(tmp_path / "a", syntax=syntax, **tags)
    found = read_tags(path, ["PatientName", "StudyID", "KVP", "AccessionNumber"])
    assert found == {"PatientName": "Ä^B", "KVP": "120"}


def test_text_that_cannot_be_decoded_is_marked(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", PatientName="Müller", KVP="120", SpecificCharacterSet="ISO_IR 192")
    path.write_bytes(path.read_bytes().replace("Müller".encode(), b"M\xfcu\xfcller"[:7]))
    assert read_tags(path, ["PatientName", "KVP"]) == {"PatientName": UNDECODED, "KVP": "120"}


def test_text_of_an_unknown_representation_is_read(tmp_path, dataset):
    made = dataset(1, syntax=ImplicitVRLittleEndian)
    block = made.private_block(0x0019, "NOBODY", create=True)
    block.add_new(0x10, "UN", b"hello ")
    block.add_new(0x11, "UN", b"\xff\xfe")
    made.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    tags = ['(0019,"NOBODY",10)', '(0019,"NOBODY",11)', '(0019,"NOBODY",12)']
    assert read_tags(tmp_path / "a.dcm", tags) == {tags[0]: "hello", tags[1]: UNDECODED}


@pytest.mark.parametrize("syntax", SYNTAXES[:2])
def test_raw_text_is_returned_valid_or_not(syntax, tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", syntax=syntax, StudyDate="20180605", PatientAge="045Y")
    path.write_bytes(path.read_bytes().replace(b"20180605", b"JANE DOE").replace(b"045Y", b"*\xff* "))
    texts = read_texts(path, ["StudyDate", "PatientAge", "AccessionNumber"])
    assert texts == {"StudyDate": "JANE DOE", "PatientAge": "*\\xff*"}


@pytest.mark.filterwarnings("ignore")  # pydicom's own, while the test writes
def test_raw_text_is_bounded(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", StudyDescription="x" * 1000)
    assert read_texts(path, ["StudyDescription"]) == {"StudyDescription": "x" * 256}


@pytest.mark.parametrize("read", [read_tags, read_texts])
def test_file_that_cannot_be_read_is_an_error(read, tmp_path):
    with pytest.raises(OSError, match="absent"):
        read(tmp_path / "absent", ["KVP"])
    (tmp_path / "a").write_bytes(b"words")
    with pytest.raises(OSError, match="malformed"):
        read(tmp_path / "a", ["KVP"])
