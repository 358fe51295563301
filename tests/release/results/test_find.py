from __future__ import annotations

import json

import pytest

from monai_unlearn.release.results.find import READ, document_of, find


def document(client, **options):
    wanted = {"version": "0.1.0", "name": None, **options}
    return document_of(find(client, **wanted), server="pacs", with_patients=False, **wanted)


@pytest.mark.parametrize("without_content", [False, True])
def test_reports_are_found_by_the_version_in_their_content(archive, reports, without_content):
    _, client = archive(without_content=without_content)
    found = document(client)
    assert {one["SOPInstanceUID"] for one in found["results"]} == {reports[n].SOPInstanceUID for n in (0, 1, 3)}
    assert found["reports"] == {
        "read": 4,
        "of_the_version": 3,
        "with_other_algorithms": 0,
        "without_version": 0,
    }
    assert (found["studies"], found["how"]) == (3, READ)
    assert "searches attributes of the header" in found["note"]


def test_of_one_model(archive):
    _, client = archive()
    assert document(client, name="MRI classifier")["reports"]["of_the_version"] == 2
    assert document(client, version="0.1")["results"] == []


def test_patients_are_named_only_on_request(archive, reports):
    _, client = archive()
    found = find(client, version="0.2.0")
    shown = document_of(found, server="pacs", version="0.2.0", name=None, with_patients=False)
    assert reports[2].PatientID not in json.dumps(shown)
    shown = document_of(found, server="pacs", version="0.2.0", name=None, with_patients=True)
    assert shown["results"][0]["PatientID"] == reports[2].PatientID


def test_reports_without_a_version_are_counted(archive, reports):
    import copy

    other = copy.deepcopy(reports[0])
    other.ContentSequence = other.ContentSequence[:1]
    _, client = archive(other)
    assert document(client)["reports"] == {
        "read": 1,
        "of_the_version": 0,
        "with_other_algorithms": 0,
        "without_version": 1,
    }


def test_reports_that_have_other_algorithms_as_well_are_counted(archive, shared):
    _, client = archive(shared)
    found = document(client, name="MRI classifier")
    assert found["reports"]["with_other_algorithms"] == 1
    (other,) = found["results"][0]["other_algorithms"]
    assert (other["name"], other["version"]) == ("Another", "7")
    # The version of one algorithm is not that of another.
    assert document(client, name="Another")["results"] == []
