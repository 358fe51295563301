"""`monai-unlearn index pull`, on a real Orthanc where one is installed: the index is that of the same files."""

from __future__ import annotations

import json

import pytest
from dicom_json import Studies, image, images_of
from small_server import Reply, small_server
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.phantom import write_fundus_studies, write_mri_studies, write_periorbital_studies

RUNNER = CliRunner()


def run(*words, code=0):
    result = RUNNER.invoke(app, ["index", *map(str, words), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_fundus_studies(folder / "fundus", patients=3, size=64)
    write_mri_studies(folder / "mri", patients=1)
    write_periorbital_studies(folder / "periorbital", patients=1)
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".dcm":
            path.unlink()
    return folder


def test_a_pull_is_the_build_of_the_same_files(tmp_path, files, orthanc):
    orthanc.clear()
    stored = orthanc.store(files)
    tags = ["--tag", "AnatomicRegionSequence.CodeMeaning", "--tag", "EchoTime"]
    built = run("build", *sorted(files.iterdir()), "--out", tmp_path / "built", *tags)
    assert built["rows"] == stored.count("Success")
    pulled = run("pull", "--dicomweb", orthanc.dicomweb, "--out", tmp_path / "pulled", *tags)
    for name in ("digest", "images", "patients", "formats", "tags"):
        assert pulled[name] == built[name]
    assert {code: found["count"] for code, found in pulled["faults"].items()} == {
        code: found["count"] for code, found in built["faults"].items()
    }
    # Nothing has changed: three requests.
    again = run("pull", "--dicomweb", orthanc.dicomweb, "--out", tmp_path / "pulled", *tags)
    assert (again["digest"], again["requests"], again["looked_at"]) == (built["digest"], 3, "changes")
    # A deletion is noticed, and what comes back is asked for.
    orthanc.delete(f"/studies/{orthanc.get('/studies')[0]}")
    less = run("pull", "--dicomweb", orthanc.dicomweb, "--out", tmp_path / "pulled", *tags)
    assert less["studies"]["vanished"] == 1
    orthanc.store(files)
    back = run("pull", "--dicomweb", orthanc.dicomweb, "--out", tmp_path / "pulled", *tags)
    assert (back["digest"], back["studies"]["read"]) == (built["digest"], 1)


def test_a_preview_works_on_a_pulled_index(tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text("schema_version: 1\nname: a\nreason: device_deprecation\nforget: device == Cirrus 800 FA\n")
    others = [image("1.2.77", number, ManufacturerModelName="Spectralis") for number in range(3)]
    with small_server(Studies([*images_of(4), *others])) as server:
        run("pull", "--dicomweb", server.url, "--out", tmp_path / "index", "--modality", "OP", "--from", "2018-01-01")
    result = RUNNER.invoke(app, ["cohort", "preview", str(spec), "--index", str(tmp_path / "index"), "--json"])
    assert json.loads(result.stdout)["images"]["forget"] == 8


def test_a_pull_as_lines_without_a_token_in_them(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_UNLEARN_PACS_TOKEN", "secret-token")
    with small_server(Studies(images_of(1))) as server:
        result = RUNNER.invoke(app, ["index", "pull", "--dicomweb", server.url, "--out", str(tmp_path / "index")])
        assert server.asked[0].headers["Authorization"] == "Bearer secret-token"
    assert "1 study read" in result.stdout
    assert "secret-token" not in result.output
    assert not any(b"secret-token" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_an_archive_that_refuses_ends_with_2(tmp_path):
    with small_server(lambda _: Reply(b"", 401)) as server:
        found = run("pull", "--dicomweb", server.url, "--out", tmp_path / "index", code=2)
    assert found["error"]["kind"] == "ArchiveError"
    assert "refused with 401" in found["error"]["message"]
    assert not (tmp_path / "index").exists()
