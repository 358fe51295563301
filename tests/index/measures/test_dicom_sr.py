from __future__ import annotations

import sys

import highdicom as hd
import numpy as np
import pytest
from measure_files import LEFT, RIGHT, concept, image_group, make_seg, make_sr, number, planar_group, site, tracked
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.measures.dicom_sr import read, settle
from monai_unlearn.index.measures.labels import MaskLabels
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault, Target

FISSURE = "Vertical palpebral fissure"


@pytest.fixture
def slices(make_slices):
    return make_slices()


@pytest.fixture
def readings_of(tmp_path):
    """Write reports, read and settle them: a list of (column, value, unit, target) for each."""

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


def test_name_has_the_side_but_not_the_only_site(slices, readings_of):
    groups = [
        planar_group([number(FISSURE, 9.5)], slices[0], finding_sites=[site("Eye", LEFT)]),
        planar_group([number(FISSURE, 8.25)], slices[1], finding_sites=[site("Eye", RIGHT)]),
    ]
    assert readings_of(make_sr(groups, slices))[0] == [
        ("left_vertical_palpebral_fissure", 9.5, "mm", _of(slices[0])),
        ("right_vertical_palpebral_fissure", 8.25, "mm", _of(slices[1])),
    ]


def test_side_of_the_number_takes_precedence_over_that_of_its_group(slices, readings_of):
    inner = number(FISSURE, 9.5, finding_sites=[site("Eye", RIGHT)])
    groups = [image_group([inner], slices[:1], finding_sites=[site("Face", LEFT)])]
    assert readings_of(make_sr(groups, slices))[0][0][0] == "right_vertical_palpebral_fissure"


def test_name_has_what_distinguishes_numbers_of_one_concept(slices, readings_of):
    mean, largest = ({"derivation": code} for code in (codes.SCT.Mean, codes.SCT.Maximum))
    groups = [
        image_group([number("Volume", 1, "ml")], slices[:1], finding_sites=[site("Liver")]),
        image_group([number("Volume", 2, "ml")], slices[:1], finding_sites=[site("Spleen")]),
        image_group([number("Uptake", 3, "1", **mean), number("Uptake", 4, "1", **largest)], slices[:1]),
        image_group([number("Diameter", 5)], slices[:1], finding_type=concept("Nodule")),
        image_group([number("Diameter", 6)], slices[:1]),
        image_group([number("90th percentile", 7, "1")], slices[:1], finding_sites=[site("Liver")]),
    ]
    assert [measure[0] for measure in readings_of(make_sr(groups, slices))[0]] == [
        "liver_volume",
        "spleen_volume",
        "mean_uptake",
        "maximum_uptake",
        "nodule_diameter",
        "diameter",
        "measure_90th_percentile",
    ]


def test_names_are_chosen_over_all_reports(slices, readings_of):
    liver = make_sr([image_group([number("Volume", 1)], slices[:1], finding_sites=[site("Liver")])], slices, "a")
    spleen = make_sr([image_group([number("Volume", 2)], slices[:1], finding_sites=[site("Spleen")])], slices, "b")
    assert [found[0][0] for found in readings_of(liver, spleen)] == ["liver_volume", "spleen_volume"]
    assert readings_of(liver)[0][0][0] == "volume"


def test_images_are_those_of_the_number_its_group_or_the_report(slices, readings_of):
    groups = [
        image_group([number("a", 1, images=[slices[3]]), number("b", 2)], slices[1:3]),
        image_group([number("c", 3)]),
        planar_group([number("d", 4)], slices[0]),
    ]
    found = {name: target for name, _, _, target in readings_of(make_sr(groups, slices))[0]}
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


def test_segment_refers_to_the_images_or_the_series_of_its_source(slices, readings_of):
    group, segmentation = _volumetric(slices, series=True)
    by_series = make_sr([group], [*slices, segmentation])
    assert readings_of(by_series)[0][0][3] == Target(series=frozenset([slices[0].SeriesInstanceUID]))
    group, segmentation = _volumetric(slices, series=False)
    by_image = make_sr([group], [*slices, segmentation])
    assert readings_of(by_image)[0] == [("volume", 12.0, "cm3", _of(*slices[:2]))]


def test_group_about_something_else_refers_to_no_image(slices, readings_of):
    group, segmentation = _volumetric(slices, series=True)
    report = make_sr([group], [*slices, segmentation])
    items = report.ContentSequence[-1].ContentSequence[0].ContentSequence
    items[:] = [item for item in items if item.ValueType != "UIDREF" or "Series" not in _meaning(item)]
    assert readings_of(report)[0][0][3] == Target()


def _meaning(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning).title()


def test_report_about_a_series_or_a_study_is_about_all_their_images(slices, readings_of):
    report = make_sr([image_group([number("a", 1)])], slices)
    study = report.CurrentRequestedProcedureEvidenceSequence[0]
    del study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert readings_of(report)[0][0][3] == Target(series=frozenset([slices[0].SeriesInstanceUID]))
    del study.ReferencedSeriesSequence
    assert readings_of(report)[0][0][3] == Target(studies=frozenset([slices[0].StudyInstanceUID]))
    del report.CurrentRequestedProcedureEvidenceSequence
    assert readings_of(report)[0][0][3] == Target()


def test_number_in_an_unknown_unit_is_left_out_and_reported(slices, tmp_path):
    make_sr([image_group([number("a", 1, "blorb"), number("b", 2)], slices[:1])], slices).save_as(
        tmp_path / "a.dcm", enforce_file_format=True
    )
    report = read(tmp_path / "a.dcm")
    assert report.fault is MeasureFault.UNKNOWN_UNIT
    assert [measured.name.concept for measured in report.numbers] == ["b"]
    ((reading,),) = settle([report], MaskLabels())
    assert reading.fault is MeasureFault.UNKNOWN_UNIT


def test_report_with_unknown_units_alone_is_reported(slices, tmp_path):
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


def test_missing_highdicom_is_an_error_that_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom.sr", None)
    with pytest.raises(IndexReadError, match=r"a.dcm: .* requires highdicom, .* pip install 'monai-unlearn\[pacs\]'"):
        read(tmp_path / "a.dcm")


def test_image_referred_to_by_its_position_in_the_report_is_found(slices, readings_of, tmp_path):
    made = make_sr([image_group([number("a", 1)], slices[1:2]), image_group([number("b", 2)], slices[:1])], slices)
    made.save_as(tmp_path / "made.dcm", enforce_file_format=True)
    report = dcmread(tmp_path / "made.dcm")  # highdicom itself does not accept such items
    groups = report.ContentSequence[-1].ContentSequence
    second = groups[1].ContentSequence
    position = next(number for number, item in enumerate(groups[0].ContentSequence, 1) if item.ValueType == "IMAGE")
    pointer = Dataset()
    pointer.RelationshipType = "CONTAINS"
    pointer.ReferencedContentItemIdentifier = [1, len(report.ContentSequence), 1, position]
    second[:] = [item for item in second if item.ValueType != "IMAGE"]
    number_item = next(item for item in second if item.ValueType == "NUM")
    number_item.ContentSequence = [pointer]
    assert readings_of(report)[0][1] == ("b", 2.0, "mm", _of(slices[1]))
