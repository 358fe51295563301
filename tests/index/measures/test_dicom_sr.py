from __future__ import annotations

import sys

import highdicom as hd
import numpy as np
import pytest
from measure_files import LEFT, RIGHT, concept, image_group, make_seg, make_sr, number, planar_group, site, tracked
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.measures import dicom_sr
from monai_unlearn.index.measures.dicom_sr import read, settle
from monai_unlearn.index.measures.labels import MaskLabels
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault, Target

FISSURE = "Vertical palpebral fissure"


@pytest.fixture
def slices(make_slices):
    return make_slices()


@pytest.fixture
def said(tmp_path):
    """Write reports, read and settle them: for each (column, value, unit, images or other target)."""

    def run(*reports, change=lambda _: None):
        contents = []
        for position, report in enumerate(reports):
            change(report)
            report.save_as(tmp_path / f"{position}.dcm", enforce_file_format=True)
            contents.append(read(tmp_path / f"{position}.dcm"))
        return [
            [(*_measure(reading), reading.target) for reading in readings]
            for readings in settle(contents, MaskLabels())
        ]

    return run


def _measure(reading) -> tuple[str, float | None, str]:
    (measure,) = reading.measures
    return measure.name, measure.value, measure.unit


def _of(*images: Dataset) -> Target:
    return Target(images=frozenset(image.SOPInstanceUID for image in images))


def test_sides_are_told_apart_and_the_site_is_left_out_where_there_is_one(slices, said):
    groups = [
        planar_group([number(FISSURE, 9.5)], slices[0], finding_sites=[site("Eye", LEFT)]),
        planar_group([number(FISSURE, 8.25)], slices[1], finding_sites=[site("Eye", RIGHT)]),
    ]
    assert said(make_sr(groups, slices))[0] == [
        ("left_vertical_palpebral_fissure", 9.5, "mm", _of(slices[0])),
        ("right_vertical_palpebral_fissure", 8.25, "mm", _of(slices[1])),
    ]


def test_side_of_the_number_itself_counts_more_than_that_of_its_group(slices, said):
    inner = number(FISSURE, 9.5, finding_sites=[site("Eye", RIGHT)])
    groups = [image_group([inner], slices[:1], finding_sites=[site("Face", LEFT)])]
    assert said(make_sr(groups, slices))[0][0][0] == "right_vertical_palpebral_fissure"


def test_what_tells_numbers_of_one_concept_apart_is_in_the_name(slices, said):
    mean, largest = ({"derivation": code} for code in (codes.SCT.Mean, codes.SCT.Maximum))
    groups = [
        image_group([number("Volume", 1, "ml")], slices[:1], finding_sites=[site("Liver")]),
        image_group([number("Volume", 2, "ml")], slices[:1], finding_sites=[site("Spleen")]),
        image_group([number("Uptake", 3, "1", **mean), number("Uptake", 4, "1", **largest)], slices[:1]),
        image_group([number("Diameter", 5)], slices[:1], finding_type=concept("Nodule")),
        image_group([number("Diameter", 6)], slices[:1]),
        image_group([number("90th percentile", 7, "1")], slices[:1], finding_sites=[site("Liver")]),
    ]
    assert [measure[0] for measure in said(make_sr(groups, slices))[0]] == [
        "liver_volume",
        "spleen_volume",
        "mean_uptake",
        "maximum_uptake",
        "nodule_diameter",
        "diameter",
        "measure_90th_percentile",
    ]


def test_names_do_not_depend_on_the_report_that_they_stand_in(slices, said):
    liver = make_sr([image_group([number("Volume", 1)], slices[:1], finding_sites=[site("Liver")])], slices, "a")
    spleen = make_sr([image_group([number("Volume", 2)], slices[:1], finding_sites=[site("Spleen")])], slices, "b")
    assert [found[0][0] for found in said(liver, spleen)] == ["liver_volume", "spleen_volume"]
    assert said(liver)[0][0][0] == "volume"


def test_numbers_are_of_the_images_that_they_their_group_or_the_report_name(slices, said):
    groups = [
        image_group([number("a", 1, images=[slices[3]]), number("b", 2)], slices[1:3]),
        image_group([number("c", 3)]),
        planar_group([number("d", 4)], slices[0]),
    ]
    found = {name: target for name, _, _, target in said(make_sr(groups, slices))[0]}
    assert found == {"a": _of(slices[3]), "b": _of(*slices[1:3]), "c": _of(*slices), "d": _of(slices[0])}


def _volumetric(slices, *, series: bool):
    segmentation = make_seg(slices, np.ones((4, 6, 8)), {1: "liver"})
    origin = (
        {"source_series": hd.sr.SourceSeriesForSegmentation(slices[0].SeriesInstanceUID)}
        if series
        else {
            "source_images": [
                hd.sr.SourceImageForSegmentation(image.SOPClassUID, image.SOPInstanceUID) for image in slices[:2]
            ]
        }
    )
    segment = hd.sr.ReferencedSegment(segmentation.SOPClassUID, segmentation.SOPInstanceUID, 1, **origin)
    group = hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracked(), referenced_segment=segment, measurements=[number("Volume", 12, "cm3")]
    )
    return group, segmentation


def test_segment_stands_for_the_images_or_the_series_that_it_was_made_of(slices, said):
    group, segmentation = _volumetric(slices, series=True)
    by_series = make_sr([group], [*slices, segmentation])
    assert said(by_series)[0][0][3] == Target(series=frozenset([slices[0].SeriesInstanceUID]))
    group, segmentation = _volumetric(slices, series=False)
    by_image = make_sr([group], [*slices, segmentation])
    assert said(by_image)[0] == [("volume", 12.0, "cm3", _of(*slices[:2]))]


def test_group_about_something_else_is_about_no_image(slices, said):
    group, segmentation = _volumetric(slices, series=True)
    report = make_sr([group], [*slices, segmentation])
    items = report.ContentSequence[-1].ContentSequence[0].ContentSequence
    items[:] = [item for item in items if item.ValueType != "UIDREF" or "Series" not in _meaning(item)]
    assert said(report)[0][0][3] == Target()


def _meaning(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning).title()


def test_report_about_a_series_or_a_study_is_about_all_their_images(slices, said):
    report = make_sr([image_group([number("a", 1)])], slices)
    study = report.CurrentRequestedProcedureEvidenceSequence[0]
    del study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert said(report)[0][0][3] == Target(series=frozenset([slices[0].SeriesInstanceUID]))
    del study.ReferencedSeriesSequence
    assert said(report)[0][0][3] == Target(studies=frozenset([slices[0].StudyInstanceUID]))
    del report.CurrentRequestedProcedureEvidenceSequence
    assert said(report)[0][0][3] == Target()


def test_image_told_by_its_place_in_the_report_is_found(slices, said, tmp_path):
    made = make_sr([image_group([number("a", 1)], slices[1:2]), image_group([number("b", 2)], slices[:1])], slices)
    made.save_as(tmp_path / "made.dcm", enforce_file_format=True)
    report = dcmread(tmp_path / "made.dcm")  # highdicom itself takes no such items
    groups = report.ContentSequence[-1].ContentSequence
    second = groups[1].ContentSequence
    position = next(number for number, item in enumerate(groups[0].ContentSequence, 1) if item.ValueType == "IMAGE")
    pointer = Dataset()
    pointer.RelationshipType = "CONTAINS"
    pointer.ReferencedContentItemIdentifier = [1, len(report.ContentSequence), 1, position]
    second[:] = [item for item in second if item.ValueType != "IMAGE"]
    number_item = next(item for item in second if item.ValueType == "NUM")
    number_item.ContentSequence = [pointer]
    assert said(report)[0][1] == ("b", 2.0, "mm", _of(slices[1]))


def test_number_that_is_not_there_is_missing(slices, said):
    report = make_sr([image_group([number("a", 1), number("b", 2)], slices[:1])], slices)
    first = next(
        item for item in report.ContentSequence[-1].ContentSequence[0].ContentSequence if item.ValueType == "NUM"
    )
    first.MeasuredValueSequence = []
    assert [measure[0] for measure in said(report)[0]] == ["b"]


def test_number_of_an_unknown_unit_is_left_out_and_said(slices, tmp_path):
    make_sr([image_group([number("a", 1, "blorb"), number("b", 2)], slices[:1])], slices).save_as(
        tmp_path / "a.dcm", enforce_file_format=True
    )
    report = read(tmp_path / "a.dcm")
    assert report.fault is MeasureFault.UNKNOWN_UNIT
    assert [measured.name.concept for measured in report.numbers] == ["b"]
    ((reading,),) = settle([report], MaskLabels())
    assert reading.fault is MeasureFault.UNKNOWN_UNIT


def test_report_of_unknown_units_only_says_so(slices, tmp_path):
    make_sr([image_group([number("a", 1, "blorb")], slices[:1])], slices).save_as(
        tmp_path / "a.dcm", enforce_file_format=True
    )
    ((reading,),) = settle([read(tmp_path / "a.dcm")], MaskLabels())
    assert (reading.measures, reading.fault, bool(reading.target)) == ((), MeasureFault.UNKNOWN_UNIT, False)


@pytest.mark.parametrize("change", ["template", "numbers"])
def test_other_report_is_a_fault(change, slices, tmp_path):
    report = make_sr([image_group([number("a", 1)], slices[:1])], slices)
    if change == "template":
        report.ContentTemplateSequence[0].TemplateIdentifier = "2000"
    else:
        items = report.ContentSequence[-1].ContentSequence[0].ContentSequence
        items[:] = [item for item in items if item.ValueType != "NUM"]
    report.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(FaultyMeasuresError, match="no_measurements"):
        read(tmp_path / "a.dcm")


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_other_transfer_syntaxes_are_read(syntax, slices, tmp_path):
    path = tmp_path / "a.dcm"
    make_sr([image_group([number("a", 1)], slices[:1])], slices).save_as(path, enforce_file_format=True)
    expected = read(path)
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    assert read(path) == expected
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Exception, match=r"truncated|unpack|EOF|buffer|end of"):
        read(path)


def test_report_cut_within_a_number_is_a_fault(slices, tmp_path):
    path = tmp_path / "a.dcm"
    make_sr([image_group([number("a", 12.5)], slices[:1])], slices).save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"12.5") + 3])
    with pytest.raises(FaultyMeasuresError, match="truncated"):
        read(path)


def test_report_larger_than_accepted_is_not_read(slices, tmp_path, monkeypatch):
    path = tmp_path / "a.dcm"
    make_sr([image_group([number("a", 12.5)], slices[:1])], slices).save_as(path, enforce_file_format=True)
    monkeypatch.setattr(dicom_sr, "MAX_INFLATED", 1000)
    with pytest.raises(FaultyMeasuresError, match="too_large"):
        read(path)


def test_missing_highdicom_is_an_error_that_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom.sr", None)
    with pytest.raises(IndexReadError, match=r"a.dcm: .* takes highdicom, .* pip install 'monai-unlearn\[pacs\]'"):
        read(tmp_path / "a.dcm")
