from __future__ import annotations

import numpy as np
import pytest
from measure_files import image_group, make_mask, make_seg, make_sr, number
from pydicom import dcmread
from pydicom.uid import XRayRadiationDoseSRStorage

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Listed, list_files
from monai_unlearn.index.measures import sr_dataset
from monai_unlearn.index.measures.reading import FaultyMeasuresError
from monai_unlearn.index.measures.registry import READERS, read_measures


def _listed(path) -> Listed:
    return list_files([path]).files[0]


def test_each_kind_has_a_unique_name():
    assert [reader.kind for reader in READERS] == ["NIfTI", "SEG", "SR"]


def test_kind_is_recognised_by_content(tmp_path, make_slices):
    slices = make_slices()
    make_seg(slices, np.ones((4, 6, 8)), {1: "a"}).save_as(tmp_path / "1", enforce_file_format=True)
    make_sr([image_group([number("a", 1)])], slices).save_as(tmp_path / "2", enforce_file_format=True)
    make_mask(tmp_path / "3.nii.gz", np.ones((2, 2, 2), np.uint8)).rename(tmp_path / "3")
    assert [read_measures(_listed(tmp_path / name))[0].kind for name in "123"] == ["SEG", "SR", "NIfTI"]


def test_other_files_are_faults(tmp_path, make_dicom, make_image, make_slices):
    make_dicom(tmp_path / "image.dcm")
    make_image(tmp_path / "image.png")
    (tmp_path / "words").write_text("words", encoding="utf-8")
    (tmp_path / "empty").touch()
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "image.dcm").read_bytes()[:140])
    report = make_sr([image_group([number("a", 1)])], make_slices())
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID = XRayRadiationDoseSRStorage
    report.save_as(tmp_path / "dose.dcm", enforce_file_format=True)
    found = {}
    for path in tmp_path.iterdir():
        with pytest.raises(FaultyMeasuresError, match=r"\w+") as error:
            read_measures(_listed(path))
        found[path.name] = error.value.fault.code
    assert found == {
        "image.dcm": "not_measures",
        "image.png": "not_measures",
        "words": "not_measures",
        "empty": "empty_file",
        "cut.dcm": "not_measures",
        "dose.dcm": "not_measures",
    }


def test_fault_of_the_listing_is_passed_on():
    with pytest.raises(FaultyMeasuresError, match="path_not_unicode"):
        read_measures(Listed(path="/a", relative="a", fault=Fault.PATH_NOT_UNICODE))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (RecursionError, "too_deep"),
        (PermissionError, "permission_denied"),
        (KeyError, "unreadable"),
        (MemoryError, "unreadable"),
    ],
)
def test_whatever_a_parser_raises_is_a_fault(error, fault, tmp_path, make_slices, monkeypatch):
    make_sr([image_group([number("a", 1)])], make_slices()).save_as(tmp_path / "a", enforce_file_format=True)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(sr_dataset, "dcmread", fail)
    with pytest.raises(FaultyMeasuresError, match=fault):
        read_measures(_listed(tmp_path / "a"))


def test_missing_package_is_an_error_not_a_fault(tmp_path, make_slices, monkeypatch):
    make_sr([image_group([number("a", 1)])], make_slices()).save_as(tmp_path / "a", enforce_file_format=True)
    monkeypatch.setitem(__import__("sys").modules, "highdicom.sr", None)
    with pytest.raises(IndexReadError, match="requires highdicom"):
        read_measures(_listed(tmp_path / "a"))


@pytest.mark.parametrize("kind", ["seg", "sr"])
def test_file_cut_anywhere_is_never_good_and_prints_nothing(kind, tmp_path, make_slices, capfd):
    slices = make_slices(2)
    made = (
        make_seg(slices, np.ones((2, 6, 8)), {1: "a"})
        if kind == "seg"
        else make_sr([image_group([number("a", 1.5)], slices[:1])], slices)
    )
    path = tmp_path / "a.dcm"
    made.save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    read_measures(_listed(path))
    for size in {*range(0, len(content), 97), len(content) - 1}:
        path.write_bytes(content[:size])
        with pytest.raises(FaultyMeasuresError, match="truncated|unreadable|not_measures|not_an_image|empty_file"):
            read_measures(_listed(path))
    assert capfd.readouterr() == ("", "")


def test_values_that_break_rules_are_read_silently(tmp_path, make_slices, capfd, recwarn):
    slices = make_slices()
    path = tmp_path / "a.dcm"
    make_seg(slices, np.ones((4, 6, 8)), {1: "a"}).save_as(path, enforce_file_format=True)
    dataset = dcmread(path)
    dataset.ContentDate = "2019-99-99"
    dataset.SegmentSequence[0].SegmentLabel = "x" * 70
    dataset.save_as(path)
    recwarn.clear()
    _, (reading,) = read_measures(_listed(path))
    assert reading.measures[0].name == "x" * 70 + "_volume"
    assert capfd.readouterr() == ("", "")
    assert not recwarn
