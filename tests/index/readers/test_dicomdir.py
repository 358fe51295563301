from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from monai_unlearn.index.readers import read_file


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a DICOMDIR with one record that refers to these components."""

    def make(reference: str | list[str] | None) -> Path:
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        meta.MediaStorageSOPInstanceUID = "1.2.3"
        made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=False, is_little_endian=True)
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        if reference is not None:
            record.ReferencedFileID = reference
        made.DirectoryRecordSequence = Sequence([record])
        path = tmp_path / "DICOMDIR"
        made.save_as(path, enforce_file_format=True)
        return path

    return make


@pytest.mark.filterwarnings("ignore")  # pydicom's own, of the test's writing
@pytest.mark.parametrize(
    "reference", ["..", ["..", "ETC"], ["A", "..", "B"], ["", "ETC"], "/etc/passwd", ["A", "../B"], "C:FILE"]
)
def test_reference_out_of_the_folder_is_a_fault(reference, write):
    assert read_file(write(reference)) | {"fault": "", "faults": ""} == read_file(write("IMG1")) | {
        "fault": "",
        "faults": "",
    }
    assert read_file(write(reference))["fault"] == "dicomdir_escapes"


@pytest.mark.parametrize("reference", [None, "IMG1", ["A", "B", "IMG1"]])
def test_other_directories_are_just_not_images(reference, write):
    assert read_file(write(reference))["fault"] == "not_an_image"


def test_directory_that_pydicom_ships_is_not_an_image():
    assert read_file(Path(get_testdata_file("DICOMDIR")))["fault"] == "not_an_image"


@pytest.mark.filterwarnings("ignore")  # pydicom's own, of the test's writing
def test_directory_cut_short_is_not_an_image_or_truncated(write):
    path = write(["..", "ETC"])
    content = path.read_bytes()
    for end in range(132, len(content), 7):
        path.write_bytes(content[:end])
        assert read_file(path)["fault"] in {"not_an_image", "truncated", "unreadable", "dicomdir_escapes"}


def test_uid_is_that_of_the_standard():
    from monai_unlearn.index.readers.dicomdir import MEDIA_STORAGE_DIRECTORY

    assert pydicom.uid.MediaStorageDirectoryStorage == MEDIA_STORAGE_DIRECTORY
