from __future__ import annotations

import pytest

from monai_unlearn.index import readers
from monai_unlearn.index.readers import file_columns, read_file
from monai_unlearn.vocabulary.fields import vocabulary


def test_columns_are_the_vocabulary_and_the_identity():
    assert set(vocabulary().dicom) < set(file_columns())
    assert {"format", "fault", "SOPInstanceUID", "PatientID"} < set(file_columns())


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "empty_file"),
        (b"plain words", "not_an_image"),
        (b"\0" * 128 + b"DICN", "not_an_image"),
        (b"\0" * 128 + b"DICM", "truncated"),
        (b"\0" * 128 + b"DICM" + b"\xff" * 64, "truncated"),
    ],
)
def test_other_bytes_are_faults(content, fault, tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    assert read_file(path)["fault"] == fault


def test_missing_file_and_folder_are_faults(tmp_path):
    assert read_file(tmp_path / "absent") == {"fault": "unreadable"}
    assert read_file(tmp_path) == {"fault": "unreadable"}


def test_forbidden_file_is_a_fault(tmp_path, monkeypatch):
    path = tmp_path / "a.dcm"
    path.write_bytes(b"x")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    assert read_file(path) == {"fault": "permission_denied"}


@pytest.mark.parametrize(
    ("error", "fault"), [(RecursionError, "too_deep"), (KeyError, "unreadable"), (MemoryError, "unreadable")]
)
def test_whatever_a_parser_raises_is_a_fault(error, fault, tmp_path, make_dicom, monkeypatch):
    path = make_dicom(tmp_path / "a")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(readers.dicom, "read", fail)
    assert read_file(path) == {"format": "dicom", "fault": fault}
