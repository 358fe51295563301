from __future__ import annotations

import json

import pytest
from archive_example import Archive, report_of
from release_example import write_release
from small_server import small_server
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.phantom import write_mri_studies
from monai_unlearn.release.sr import write_report


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    write_mri_studies(folder / "studies", patients=1, size=32, slices=1)
    report = report_of(next((folder / "studies").rglob("*.dcm")), "1.1.0", name="Some")
    write_report(report, folder / "reports" / "a.dcm")
    write_release(folder / "bundle")
    return folder


@pytest.fixture
def held():
    archive = Archive()
    with small_server(archive) as server:
        yield archive, server.url


def run(*words):
    return CliRunner().invoke(app, ["send", *map(str, words)])


def test_reports_and_a_card_are_sent(folder, held):
    archive, url = held
    words = (folder / "reports", "--dicomweb", url, "--bundle", folder / "bundle", "--card", "text")
    done = run(*words, "--dry-run", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert (document["dry_run"], len(document["documents"]), archive.documents) == (True, 2, [])
    done = run(*words)
    assert "2 documents were sent to 127.0.0.1" in done.output
    assert [one.SOPClassUID.name for one in archive.documents] == ["Comprehensive SR Storage", "Basic Text SR Storage"]


def test_a_card_alone(folder, held):
    archive, url = held
    assert run("--dicomweb", url, "--bundle", folder / "bundle", "--card", "text").exit_code == 0
    assert len(archive.documents) == 1


@pytest.mark.parametrize("words", [(), ("--dicomweb", "x", "--dimse", "y:1"), ("--card", "text"), ("--dimse", "y")])
def test_bad_input(folder, words):
    assert run(folder / "reports", *words).exit_code == 2


def test_reports_of_another_version_are_refused(folder, held, tmp_path):
    write_release(tmp_path / "bundle", version="1.2.0")
    done = run(folder / "reports", "--dicomweb", held[1], "--bundle", tmp_path / "bundle")
    assert done.exit_code == 2
    assert "expected version 1.2.0 in its algorithm identification, got 1.1.0" in done.output
