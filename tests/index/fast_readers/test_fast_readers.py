"""The readers give the same rows, on every file that there is to try."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pydicom.data import get_testdata_files
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers import Reader, gdcm, read_files
from monai_unlearn.index.fast_readers.plain import read_plain
from monai_unlearn.index.fast_readers.values import OddFileError
from monai_unlearn.index.listing import Listed, Walk
from monai_unlearn.index.scan.workers import read_in_processes
from monai_unlearn.phantom import write_fundus_studies

DATA = os.environ.get("MONAI_UNLEARN_DATA")
needs_gdcm = pytest.mark.skipif(find_spec("gdcm") is None, reason="python-gdcm is not installed")
FAST = [Reader.PLAIN, pytest.param(Reader.GDCM, marks=needs_gdcm)]


def rows(files, reader):
    """Read in a worker: GDCM may end the process that it runs in."""
    listed = [file if isinstance(file, Listed) else Listed(path=str(file), relative="", size=0) for file in files]
    chunks = [listed[at : at + 50] for at in range(0, len(listed), 50)]
    found = dict(read_in_processes(chunks, reader=reader, workers=1, meanwhile=False))
    return pa.concat_tables([found[number] for number in sorted(found)])


def assert_same(files, reader):
    expected, found = rows(files, Reader.PYDICOM), rows(files, reader)
    for row, other in zip(expected.to_pylist(), found.to_pylist(), strict=True):
        assert other == row, row["path"]
    return expected


def is_fast(path, reader):
    if reader is Reader.GDCM:
        return next(gdcm.scan_with_gdcm([str(path)])) is not None
    try:
        return bool(read_plain(str(path)))
    except OddFileError:
        return False


@pytest.mark.parametrize("reader", FAST)
def test_same_rows_on_the_files_that_pydicom_ships(reader):
    files = sorted(path for path in map(Path, get_testdata_files()) if path.is_file())
    assert len(files) > 100
    assert_same(files, reader)


@pytest.mark.parametrize("reader", FAST)
def test_same_rows_on_phantoms_and_each_is_read_fast(reader, tmp_path):
    write_fundus_studies(tmp_path / "studies", patients=8, size=64)
    files = list(Walk([tmp_path / "studies"]))
    found = assert_same(files, reader)
    assert found["fault"].null_count >= found.num_rows - 1
    assert all(is_fast(file.path, reader) for file in files if file.path.endswith(".dcm"))


@pytest.mark.skipif(DATA is None, reason="MONAI_UNLEARN_DATA does not name the folder of real data")
@pytest.mark.parametrize("reader", FAST)
def test_same_rows_on_five_scanners(reader):
    assert assert_same(list(Walk([Path(DATA) / "dicom_mr"])), reader).num_rows == 110


# Tags, and whether each reader is sure of them: plain, GDCM.
CASES = {
    "padding": ({"StationName": " S1 ", "PatientID": "P 1 ", "PatientAge": "045Y"}, True, True),
    "several values": ({"ImageType": ["DERIVED", "", "COLOR"], "SoftwareVersions": ["1", "2.0"]}, True, True),
    "several values in place of one": ({"PatientID": "A\\B", "StationName": "\\"}, True, True),
    "missing and empty": ({"StudyDate": None, "PatientAge": "", "StationName": None, "PatientID": ""}, True, True),
    "numbers": ({"SliceThickness": "1.50", "MagneticFieldStrength": "-3e0 ", "Rows": 8}, True, True),
    "several numbers": ({"SliceThickness": ["1.5", "2"]}, False, False),
    "western": ({"SpecificCharacterSet": "ISO_IR 100", "InstitutionName": "Universität"}, True, True),
    "unicode": ({"SpecificCharacterSet": "ISO_IR 192", "InstitutionName": "山田 大学"}, True, True),
    "cyrillic": ({"SpecificCharacterSet": "ISO_IR 144", "InstitutionName": "\u0414\u0416\u0418"}, False, False),
    "japanese": ({"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "InstitutionName": "山田"}, False, False),
    "no date": ({"StudyDate": "20240231", "AcquisitionDateTime": "2018"}, False, False),
    "older date": ({"StudyDate": "2018.06.05"}, True, True),
    "no age": ({"PatientAge": "45"}, False, False),
    "no number": ({"SliceThickness": "NaN"}, False, False),
    "no UID": ({"StudyInstanceUID": "not.a.uid"}, False, False),
    "no name": ({"SOPInstanceUID": None}, False, False),
    "no pixels": ({"PixelData": None}, False, False),
    "too few pixels": ({"Rows": 9}, False, False),
    "more pixels than the image takes": ({"Rows": 7}, True, False),
    "undescribed pixels": ({"SamplesPerPixel": None}, False, False),
    "frames": ({"NumberOfFrames": "2", "Rows": 4}, True, True),
    "behind the pixels": ({"DataSetTrailingPadding": bytes(30)}, False, False),
    "implicit": ({"syntax": ImplicitVRLittleEndian, "StationName": "S1"}, True, True),
    "long text": ({"StudyDescription": "x" * 20_000}, False, False),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reader", FAST)
def test_same_rows_whatever_the_values(reader, tmp_path, make_dicom):
    files = {name: make_dicom(tmp_path / name, 3, **tags) for name, (tags, *_) in CASES.items()}
    assert_same(files.values(), reader)
    sure = {name: is_fast(path, reader) for name, path in files.items()}
    which = 1 if reader is Reader.PLAIN else 2
    assert sure == {name: case[which] for name, case in CASES.items()}


def test_same_rows_of_a_file_cut_anywhere(tmp_path, make_dicom):
    content = make_dicom(tmp_path / "whole", 3).read_bytes()
    files = []
    for length in range(0, len(content), 7):
        files.append(tmp_path / f"{length}.dcm")
        files[-1].write_bytes(content[:length])
    assert_same(files, Reader.PLAIN)
    assert not any(map(is_fast, files[1:], [Reader.PLAIN] * len(files[1:])))


def test_same_rows_of_damaged_headers(tmp_path, make_dicom):
    """Nothing that the plain reader is sure of is otherwise for pydicom."""
    rng = np.random.default_rng(4)
    whole = make_dicom(tmp_path / "whole", 3, StationName="S1", SliceThickness="1.5").read_bytes()
    files = []
    for number in range(400):
        content = bytearray(whole)
        at, other = rng.integers(132, len(whole) - 200), rng.integers(132, len(whole) - 200)
        change = number % 4
        if change == 0:
            content[at] ^= 1 << int(rng.integers(8))
        elif change == 1:
            content[at : at + 8] = content[other : other + 8]
        elif change == 2:
            del content[at : at + rng.integers(1, 9)]
        else:
            content[at:at] = content[other : other + rng.integers(1, 17)]
        files.append(tmp_path / f"{number}.dcm")
        files[-1].write_bytes(content)
    assert_same(files, Reader.PLAIN)
    sure = sum(is_fast(path, Reader.PLAIN) for path in files)
    assert 20 < sure < 380


def test_same_rows_of_sequences_of_undefined_length(tmp_path, dataset):
    from pydicom.dataset import Dataset

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


def test_same_rows_of_compressed_pixels(tmp_path, dataset):
    from pydicom.encaps import encapsulate

    made = dataset(3)
    made.file_meta.TransferSyntaxUID = JPEG2000Lossless
    made.PixelData = encapsulate([b"\xff\x4f" + bytes(98)])
    made["PixelData"].is_undefined_length = True
    whole = tmp_path / "whole"
    made.save_as(whole, enforce_file_format=True)
    cut = tmp_path / "cut"
    cut.write_bytes(whole.read_bytes()[:-9])
    assert_same([whole, cut], Reader.PLAIN)
    assert is_fast(whole, Reader.PLAIN)
    assert not is_fast(cut, Reader.PLAIN)


def test_tag_that_stands_twice_counts_as_it_does_for_pydicom(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 3, StationName="AA")
    content = path.read_bytes()
    element = b"\x08\x00\x10\x10SH\x02\x00AA"
    assert element in content
    path.write_bytes(content.replace(element, element + element[:-2] + b"BB"))
    assert assert_same([path], Reader.PLAIN)["StationName"].to_pylist() == ["BB"]
    assert is_fast(path, Reader.PLAIN)


def test_header_longer_than_the_first_read(tmp_path, make_dicom):
    for size in (9_000, 100_000, 2_000_000):
        path = make_dicom(tmp_path / str(size), 3, ICCProfile=bytes(size))
        assert_same([path], Reader.PLAIN)
        assert is_fast(path, Reader.PLAIN) == (size < 1_000_000)


def test_files_that_are_not_dicom_have_the_same_rows(tmp_path, make_image):
    files = [make_image(tmp_path / "a.png"), tmp_path / "empty", tmp_path / "words"]
    files[1].touch()
    files[2].write_text("words", encoding="utf-8")
    for reader in (Reader.PLAIN, Reader.GDCM) if find_spec("gdcm") else (Reader.PLAIN,):
        assert assert_same(files, reader)["fault"].to_pylist() == [None, "empty_file", "not_an_image"]


def test_reader_that_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "gdcm", None)
    gdcm.load_gdcm.cache_clear()
    with pytest.raises(IndexReadError, match=r"GDCM is not installed. .* pip install 'monai-unlearn\[gdcm\]"):
        Reader.GDCM.check()
    Reader.PLAIN.check()


def test_file_whose_fault_is_known_is_not_opened(tmp_path, monkeypatch):
    from monai_unlearn.index.faults import Fault

    file = Listed(path=str(tmp_path / "absent"), relative="absent", fault=Fault.PATH_NOT_UNICODE)
    assert read_files([file], reader=Reader.AUTO)["fault"].to_pylist() == ["path_not_unicode"]
