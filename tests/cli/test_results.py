from __future__ import annotations

import json

import pytest
from archive_example import Archive, report_of
from small_server import small_server
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.phantom import write_mri_studies
from monai_unlearn.release.sr import write_report


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    out = tmp_path_factory.mktemp("scans") / "studies"
    write_mri_studies(out, patients=2, size=32, slices=1)
    scans = sorted(out.rglob("*.dcm"))
    return [report_of(scans[0], "0.1.0"), report_of(scans[-1], "0.2.0")]


@pytest.fixture
def held(reports):
    archive = Archive(*reports)
    with small_server(archive) as server:
        yield archive, server.url


def run(*words):
    return CliRunner().invoke(app, ["results", *map(str, words)])


def test_results_by_version(held, reports):
    _, url = held
    done = run("--by-version", "0.1.0", "--dicomweb", url, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert [one["SOPInstanceUID"] for one in document["results"]] == [reports[0].SOPInstanceUID]
    assert (document["how"], document["marks"]) == ("reports_read", [])
    said = run("--by-version", "0.1.0", "--dicomweb", url).output
    assert "1 reports of version 0.1.0 in 1 studies; 2 reports were read" in said
    assert reports[0].PatientID not in said
    assert reports[0].PatientID in run("--by-version", "0.1.0", "--dicomweb", url, "--patients").output


def test_results_are_marked_once(held, reports):
    archive, url = held
    words = ("--by-version", "0.1.0", "--dicomweb", url, "--mark", "issue", "--name", "MRI classifier", "--json")
    document = json.loads(run(*words, "--dry-run").stdout)
    assert (len(document["marks"]), document["marks_sent"], len(archive.documents)) == (1, 0, 2)
    for _ in range(2):
        assert json.loads(run(*words).stdout)["marks_sent"] == 1
    assert [one.Modality for one in archive.documents] == ["SR", "SR", "KO"]


def test_no_mark_without_the_name_of_the_model(held):
    """Models of others have versions of the same number."""
    archive, url = held
    done = run("--by-version", "0.1.0", "--dicomweb", url, "--mark", "reject")
    assert done.exit_code == 2
    assert "--name NAME" in " ".join(done.output.split())
    assert [one.Modality for one in archive.documents] == ["SR", "SR"]


def test_bad_input(held):
    assert run("--by-version", "0.1.0", "--dicomweb", "ftp://pacs").exit_code == 2
    assert run("--by-version", "0.1.0", "--dicomweb", held[1], "--mark", "hide").exit_code == 2


@pytest.mark.parametrize("by", ["dicomweb", "dimse"])
def test_on_a_real_archive(orthanc, reports, tmp_path, by):
    """Sent to a real Orthanc, found by version there, and marked."""
    orthanc.clear()
    for number, report in enumerate(reports):
        write_report(report, tmp_path / f"{number}.dcm")
    where = ("--dicomweb", orthanc.dicomweb) if by == "dicomweb" else ("--dimse", orthanc.dimse, "--called", "ORTHANC")
    done = CliRunner().invoke(app, ["send", str(tmp_path), *where])
    assert done.exit_code == 0, done.output
    words = ("--by-version", "0.2.0", "--dicomweb", orthanc.dicomweb, "--name", "MRI classifier", "--json")
    document = json.loads(run(*words, "--mark", "reject", "--why", "withdrawn").stdout)
    assert [one["SOPInstanceUID"] for one in document["results"]] == [reports[1].SOPInstanceUID]
    assert (document["reports"]["read"], document["marks_sent"]) == (2, 1)
    assert run(*words, "--mark", "reject", "--why", "withdrawn").exit_code == 0
    assert orthanc.get("/statistics")["CountInstances"] == 3
