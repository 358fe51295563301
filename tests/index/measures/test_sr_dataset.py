from __future__ import annotations

import pytest
from measure_files import image_group, make_sr, number
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from monai_unlearn.index.measures import sr_dataset
from monai_unlearn.index.measures.reading import FaultyMeasuresError
from monai_unlearn.index.measures.sr_dataset import read_report


@pytest.fixture
def slices(make_slices):
    return make_slices()


def group_items(report, position=0):
    return report.ContentSequence[-1].ContentSequence[position].ContentSequence


def test_numbers_without_a_value_are_removed(slices, tmp_path):
    report = make_sr([image_group([number("a", 1), number("b", 2)], slices[:1])], slices)
    first = next(item for item in group_items(report) if item.ValueType == "NUM")
    first.MeasuredValueSequence = []
    report.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    names = [
        item.ConceptNameCodeSequence[0].CodeMeaning
        for item in group_items(read_report(tmp_path / "a.dcm"))
        if item.ValueType == "NUM"
    ]
    assert names == ["b"]


def test_reference_to_an_image_is_replaced_by_the_image_without_its_children(slices, tmp_path):
    path = tmp_path / "a.dcm"
    make_sr([image_group([number("a", 1)], slices[1:2])], slices).save_as(path, enforce_file_format=True)
    report = dcmread(path)
    items = group_items(report)
    at = next(position for position, item in enumerate(items, 1) if item.ValueType == "IMAGE")
    pointer = Dataset()
    pointer.RelationshipType = "CONTAINS"
    pointer.ReferencedContentItemIdentifier = [1, len(report.ContentSequence), 1, at]
    items[at - 1].ContentSequence = [pointer]  # the image contains a reference to itself
    number_item = next(item for item in items if item.ValueType == "NUM")
    number_item.ContentSequence = [pointer]
    report.save_as(path, enforce_file_format=True)
    found = group_items(read_report(path))
    (image,) = next(item for item in found if item.ValueType == "NUM").ContentSequence
    assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == slices[1].SOPInstanceUID
    assert image.RelationshipType == "CONTAINS"
    assert "ContentSequence" not in image


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_other_transfer_syntaxes_are_read(syntax, slices, tmp_path):
    path = tmp_path / "a.dcm"
    make_sr([image_group([number("a", 1)], slices[:1])], slices).save_as(path, enforce_file_format=True)
    expected = read_report(path).ContentSequence
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    assert read_report(path).ContentSequence == expected
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Exception, match=r"truncated|unpack|EOF|buffer|end of"):
        read_report(path)


def test_report_cut_within_a_number_is_a_fault(slices, tmp_path):
    path = tmp_path / "a.dcm"
    make_sr([image_group([number("a", 12.5)], slices[:1])], slices).save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"12.5") + 3])
    with pytest.raises(FaultyMeasuresError, match="truncated"):
        read_report(path)


def test_report_larger_than_accepted_is_not_read(slices, tmp_path, monkeypatch):
    path = tmp_path / "a.dcm"
    make_sr([image_group([number("a", 12.5)], slices[:1])], slices).save_as(path, enforce_file_format=True)
    monkeypatch.setattr(sr_dataset, "MAX_INFLATED", 1000)
    with pytest.raises(FaultyMeasuresError, match="too_large"):
        read_report(path)
