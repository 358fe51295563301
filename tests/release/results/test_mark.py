from __future__ import annotations

import sys

import pytest
from dicom_check import faults

from monai_unlearn.errors import ConfigError, DataError, InputError
from monai_unlearn.release.results.find import find
from monai_unlearn.release.results.mark import marks


@pytest.fixture
def results(archive):
    _, client = archive()
    return find(client, version="0.1.0").results


def test_one_mark_for_each_study(results, reports, tmp_path):
    made = marks(results, version="0.1.0")
    assert {one.StudyInstanceUID for one in made} == {one.StudyInstanceUID for one in reports}
    first = next(one for one in made if one.StudyInstanceUID == reports[0].StudyInstanceUID)
    assert (first.Modality, first.PatientID) == ("KO", reports[0].PatientID)
    assert first.ConceptNameCodeSequence[0].CodeValue == "113010"
    referenced = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in first.ContentSequence
        if "ReferencedSOPSequence" in item
    ]
    assert referenced == [reports[0].SOPInstanceUID]
    assert faults(first, tmp_path / "mark.dcm", kind="KeyObjectSelectionDocument")["Error"] == []


def test_reports_with_other_algorithms_are_left(archive, reports, shared):
    _, client = archive(shared, reports[1])
    found = find(client, version="0.1.0", name="MRI classifier").results
    assert len(found) == 2
    (made,) = marks(found, version="0.1.0")
    assert made.StudyInstanceUID == reports[1].StudyInstanceUID
    assert marks([one for one in found if one.others], version="0.1.0") == []


def test_marked_again_they_are_the_same(results):
    first, second = (marks(results, version="0.1.0") for _ in range(2))
    assert [one.SOPInstanceUID for one in first] == [one.SOPInstanceUID for one in second]
    rejected = marks(results, version="0.1.0", title="reject", why="withdrawn")
    assert not {one.SOPInstanceUID for one in first} & {one.SOPInstanceUID for one in rejected}
    assert rejected[0].ConceptNameCodeSequence[0].CodeValue == "113001"


def test_without_highdicom_the_extra_is_named(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(InputError, match=r"Marks take highdicom.*pip install 'monai-unlearn\[pacs\]'"):
        marks(results, version="0.1.0")


def test_what_is_refused(results):
    with pytest.raises(ConfigError, match="--mark: expected one of issue, reject"):
        marks(results, version="0.1.0", title="hide")
    results[0].report.pop("00080018")
    with pytest.raises(DataError, match="lacks SOPInstanceUID"):
        marks(results[:1], version="0.1.0")
