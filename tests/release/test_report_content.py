from __future__ import annotations

from dataclasses import replace

import pydicom
import pytest
from dicom_check import faults
from report_items import items, named

from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.release.report_content import ModelIdentity, encode_report
from monai_unlearn.release.sr import read_source, write_report

CLASSES = ("glioma", "meningioma", "notumor", "a class with a name much longer than a code value may be")
MODEL = ModelIdentity(name="MRI classifier", version="0.2.0", weights="sha256:" + "ab" * 32, class_names=CLASSES)


def test_a_report_says_what_was_predicted_and_by_which_version(image, tmp_path):
    source = read_source(image)
    write_report(encode_report(source, [0.1, 0.7, 0.15, 0.05], model=MODEL), tmp_path / "report.dcm")
    report = pydicom.dcmread(tmp_path / "report.dcm")
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    for keyword in ("PatientID", "StudyInstanceUID"):
        assert report[keyword] == source[keyword]
    (probability,) = named(report, "Probability of meningioma")
    assert float(probability.MeasuredValueSequence[0].NumericValue) == pytest.approx(0.7)
    assert named(report, "Finding")[0].ConceptCodeSequence[0].CodeMeaning == "meningioma"
    assert named(report, "Algorithm Name")[0].TextValue == "MRI classifier"
    assert named(report, "Algorithm Version")[0].TextValue == "0.2.0"
    assert named(report, "Algorithm Parameters")[0].TextValue == f"weights {MODEL.weights}"
    (reference,) = [item for item in items(report) if "ReferencedSOPSequence" in item]
    assert reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert list(tmp_path.iterdir()) == [tmp_path / "report.dcm"]


def test_dciodvfy_finds_no_error(image, tmp_path):
    report = encode_report(read_source(image), [0.25] * 4, model=MODEL)
    assert faults(report, tmp_path / "report.dcm", kind="ComprehensiveSR")["Error"] == []


def test_the_same_weights_are_the_same_observer(image):
    reports = [encode_report(read_source(image), [0.25] * 4, model=MODEL) for _ in range(2)]
    observers = [named(report, "Device Observer UID")[0].UID for report in reports]
    assert observers[0] == observers[1]
    assert reports[0].SOPInstanceUID != reports[1].SOPInstanceUID


def test_an_image_without_a_study_is_refused_without_showing_its_values(image):
    source = read_source(image)
    del source.StudyInstanceUID
    with pytest.raises(DataError, match="lacks StudyInstanceUID, which a report must repeat"):
        encode_report(source, [0.25] * 4, model=MODEL)


def test_a_single_class_would_be_found_in_every_image(image):
    with pytest.raises(ConfigError, match="expected at least two classes, got one"):
        encode_report(image, [0.1], model=replace(MODEL, class_names=("tumor",)))


def test_probabilities_must_fit_the_classes(image):
    with pytest.raises(ConfigError, match="one class for each of 3 probabilities, got 4"):
        encode_report(read_source(image), [0.2, 0.2, 0.6], model=MODEL)
