"""`monai-unlearn index fetch`, from a real Orthanc where one is installed: from an archive to images that runs read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_server import Reply, small_server
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.cohort import CohortSpec
from monai_unlearn.index import Index
from monai_unlearn.index.fetch.on_demand import OnDemand
from monai_unlearn.index.readers.pixel_digest import pixel_digest
from monai_unlearn.phantom import write_fundus_studies

RUNNER = CliRunner()
SPEC = "schema_version: 1\nname: retire\nreason: device_deprecation\nforget: device == Cirrus 800 FA\n"


def run(*words, code=0):
    result = RUNNER.invoke(app, ["index", *map(str, words), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies")
    write_fundus_studies(folder / "fundus", patients=6, size=64)
    return folder / "fundus"


def test_from_an_archive_to_images_that_runs_read(tmp_path, studies, orthanc):
    orthanc.clear()
    orthanc.store(studies)
    (table,) = studies.glob("*.csv")
    index, spec = tmp_path / "index", tmp_path / "spec.yaml"
    spec.write_text(SPEC)
    run("pull", "--dicomweb", orthanc.dicomweb, "--out", index, "--table", table, "--key", "SOPInstanceUID")
    cohort = CohortSpec.read(spec).resolve(Index.open(index))
    before = cohort.manifest
    assert not any(Path(path).exists() for path in cohort.forget["path"])
    trial = run("fetch", spec, "--index", index, "--parts", "forget", "--limit", 1)
    assert (trial["fetched"], trial["whole"]) == (1, True)
    done = run("fetch", spec, "--index", index, "--parts", "forget,remain")
    assert (done["present"], done["fetched"]) == (1, done["wanted"] - 1)
    now = CohortSpec.read(spec).resolve(Index.open(index))
    assert now.manifest == before
    originals = {path.read_bytes() for path in studies.rglob("*.dcm")}
    fetched = {Path(path).read_bytes() for part in (now.forget, now.remain) for path in part["path"]}
    assert fetched <= originals
    assert len(fetched) == done["wanted"]
    assert all(Path(item["image"]).is_file() and item["label"] for item in now.datalist("remain", "train"))


def test_what_is_not_there_ends_with_3(tmp_path, studies, orthanc):
    orthanc.clear()
    orthanc.store(studies)
    index, spec = tmp_path / "index", tmp_path / "spec.yaml"
    spec.write_text(SPEC)
    run("pull", "--dicomweb", orthanc.dicomweb, "--out", index)
    found = run("fetch", spec, "--index", index, "--budget-bytes", 30_000, code=3)
    assert found["left"]
    with small_server(lambda _: Reply(b"", 404)) as other:
        gone = RUNNER.invoke(
            app, ["index", "fetch", str(spec), "--index", str(index), "--dicomweb", other.url, "--parts", "forget"]
        )
    assert gone.exit_code == 3
    assert "no longer in the archive" in gone.output
    assert (
        "expected forget, remain" in run("fetch", spec, "--index", index, "--parts", "all", code=2)["error"]["message"]
    )


def test_by_c_move_from_the_archive_of_dcmtk(tmp_path, studies, dcmqrscp):
    dcmqrscp.store(studies)
    index, spec = tmp_path / "index", tmp_path / "spec.yaml"
    # What this archive keeps of an image is little: the device is not among it.
    spec.write_text(SPEC.replace("device == Cirrus 800 FA", "StudyDate < 2017-01-01"))
    here = ("--dimse", dcmqrscp.dimse, "--called", "DCMTK", "--aet", "ME")
    pulled = run("pull", *here, "--out", index)
    originals = {pixel_digest(path): path for path in studies.rglob("*.dcm")}
    assert pulled["images"] >= len(originals)
    some = run("fetch", spec, "--index", index, "--aet", "ME", "--parts", "forget", "--limit", 2)
    assert (some["fetched"], some["whole"]) == (2, True)
    done = run("fetch", spec, "--index", index, *here, "--move", dcmqrscp.move, "--connections", 2)
    assert (done["present"], done["whole"]) == (2, True)
    assert {pixel_digest(path) for path in (index / "images").rglob("*.dcm")} >= set(originals)


def test_on_demand_nothing_is_fetched(tmp_path, studies, orthanc):
    orthanc.clear()
    orthanc.store(studies)
    index, spec = tmp_path / "index", tmp_path / "spec.yaml"
    spec.write_text(SPEC)
    run("pull", "--dicomweb", orthanc.dicomweb, "--out", index)
    found = run("fetch", spec, "--index", index, "--parts", "forget", "--on-demand", "--budget-bytes", 10_000_000)
    assert (found["on_demand"], found["fetched"], found["whole"]) == (found["wanted"], 0, True)
    shown = RUNNER.invoke(app, ["index", "fetch", str(spec), "--index", str(index), "--on-demand"])
    assert "will be fetched when a run first uses them" in shown.output
    on_demand = OnDemand.of(Index.open(index))
    (image, *_) = CohortSpec.read(spec).resolve(Index.open(index)).forget["image_id"]
    assert on_demand.bring([image])[image].pixel_digest in {pixel_digest(path) for path in studies.rglob("*.dcm")}
