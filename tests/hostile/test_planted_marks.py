"""Marks are planted where names of people stand; nothing that travels, is printed or is logged holds one.

Evidence may hold identifiers of images and patients, where the contract says so, but never a name or free text.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest
from bundle_run import BUNDLE, ROOT
from pydicom.dataset import Dataset, FileMetaDataset
from typer.testing import CliRunner

from monai_unlearn.cli import app

if TYPE_CHECKING:
    from pathlib import Path


NAME = "PLANTEDNAME"  # names of folders and files, free text, what a rule compares a text column with
PERSON = "PLANTEDPERSON"  # identifiers of patients
MARKS = (NAME, PERSON)
ESCAPE = "\x1b[31m"  # in file names and labels
RUNNER = CliRunner()
KEPT = ("path", "InstitutionName", "StudyDescription", "SeriesDescription", "ProtocolName", "remark", "file")
SETTINGS = {
    "class_names": "['up','down']",
    "image_size": "[16,16]",
    "device": "cpu",
    "batch_size": "8",
    "max_epochs": "1",
    "phases": "[]",
    "force": "true",
    "steps": "2",
    "decision::healthy_classes": "[]",
    "stop": "{}",
}


@dataclass
class Site:
    """A hospital's folder, and everything that commands printed there."""

    root: Path
    key: Path | None
    said: dict[str, str] = field(default_factory=dict)

    def run(self, name: str, *words: object, code: int = 0) -> None:
        """Run a module, and keep what it prints on both streams."""
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "COLUMNS": "400"}
        command = [sys.executable, "-m", *map(str, words)]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
        self.said[name] = done.stdout + done.stderr
        assert done.returncode == code, self.said[name]

    def tool(self, name: str, *words: object) -> None:
        """Run our command in this process, as people and as scripts read it."""
        for form in ([], ["--json"]):
            again = ["--force"] if form and "freeze" in words else []
            done = RUNNER.invoke(app, [*map(str, words), *form, *again], env={"COLUMNS": "400"})
            self.said[f"{name} {form}"] = done.output
            assert done.exit_code == 0, done.output

    @property
    def keyed(self) -> tuple[object, ...]:
        return () if self.key is None else ("--keyfile", self.key)


def draw(folder: Path) -> None:
    """Write 40 DICOM files of 20 patients, below folders and under names that tell who they are; two are faulty."""
    rows = ["file,diagnosis,remark"]
    random = np.random.default_rng(0)
    for number in range(40):
        patient, is_up = number // 2, number // 2 % 2 == 0
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.10.9.{number}"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = f"1.2.3.{patient}", f"1.2.4.{patient}"
        ds.PatientID, ds.PatientName = f"{PERSON}{patient}", f"{NAME}^JANE"
        ds.PatientComments = ds.StudyDescription = ds.OperatorsName = f"{NAME} said"
        ds.Modality, ds.PhotometricInterpretation = "OP", "MONOCHROME2"
        ds.ManufacturerModelName = "Old" if patient % 3 == 0 else "New"
        ds.Rows = ds.Columns = 8
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.SamplesPerPixel, ds.PixelRepresentation = 8, 8, 7, 1, 0
        pixels = random.integers(0, 40, (8, 8)) + 20
        pixels[slice(0, 4) if is_up else slice(4, 8)] += 90
        ds.PixelData = pixels.astype(np.uint8).tobytes()
        place = folder / f"{NAME}_{patient}" / f"{NAME}{ESCAPE}{number}.dcm"
        place.parent.mkdir(parents=True, exist_ok=True)
        ds.save_as(place, enforce_file_format=True)
        remark = f"seen by {NAME}" if patient in {3, 4} else "clear"
        rows.append(f"{place.name},{'up' if is_up else 'down'},{remark}")
    content = place.read_bytes()
    (folder / NAME).mkdir()
    (folder / NAME / f"{NAME}{ESCAPE}cut.dcm").write_bytes(content[: len(content) // 2])
    (folder / NAME / f"{NAME}.dcm").write_text(f"no image of {NAME}", encoding="utf-8")
    (folder.parent / "table.csv").write_text("\n".join(rows), encoding="utf-8")


SPEC = f"""\
schema_version: 1
name: gone
reason: other
population: remark != "nothing of {NAME}"
forget:
  any:
    - patient in @gone
    - patient in [{PERSON}5, {PERSON}6]
    - remark contains {NAME}
    - StudyDescription == "{NAME} of another study"
value_sets: {{gone: {{file: gone.txt}}}}
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hospital") / "archive"
    draw(folder)
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "pseudonymised"])
def site(request, archive, tmp_path_factory) -> Site:
    root = tmp_path_factory.mktemp("site")
    (root / "spec.yaml").write_text(SPEC, encoding="utf-8")
    (root / "gone.txt").write_text(f"{PERSON}0\n{PERSON}1\n", encoding="utf-8")
    (root / "key").write_bytes(b"sixteen bytes or more")
    site = Site(root, root / "key" if request.param else None)
    words = ("--table", archive.parent / "table.csv", "--key", "file", "--label", "diagnosis")
    # Kept on purpose: what an index holds although it may name people must not leave it either.
    kept = [word for name in KEPT for word in ("--keep", name)]
    hashed = ("--pseudonymise", root / "key", *kept) if request.param else ()
    site.tool("build", "index", "build", archive, "--out", root / "index", *words, *hashed)
    return site


@pytest.fixture(scope="module")
def frozen(site) -> Site:
    index, root = ("--index", site.root / "index"), site.root
    site.tool("report", "index", "report", root / "index")
    site.tool("freeze", "cohort", "freeze", root / "spec.yaml", *index, "--out", root / "frozen", *site.keyed)
    site.tool("check", "cohort", "check", root / "frozen", *index)
    site.tool("diff", "cohort", "diff", root / "frozen", root / "spec.yaml", *index, *site.keyed)
    return site


@pytest.fixture(scope="module")
def revised(site) -> Site:
    """A bundle trained for an epoch, and revised beside retrained references, each in a process of its own."""
    bundle, root = site.root / "bundle", site.root
    shutil.copytree(BUNDLE, bundle)
    settings = {
        **SETTINGS,
        "index_dir": root / "index",
        "cohort_spec": root / "spec.yaml",
        "output_dir": root / "out",
        "reference": "retrain",
        **({} if site.key is None else {"keyfile": site.key}),
    }
    shared = ("class_names", "image_size", "device", "max_epochs", "index_dir")
    site.run("train", *_bundle_run("train", bundle, {name: settings[name] for name in shared}))
    # One epoch teaches nothing that a verdict could promote.
    site.run("unlearn", *_bundle_run("unlearn", bundle, settings), code=3)
    return site


def _bundle_run(name: str, bundle: Path, settings: dict[str, Any]) -> list[str]:
    config = str(bundle / "configs" / f"{name}.yaml")
    return [
        "monai.bundle",
        "run",
        name,
        "--config_file",
        config,
        *(f"--{key}={value}" for key, value in settings.items()),
    ]


def everything(folder: Path) -> dict[str, str]:
    """Return the names and the contents of all files of a folder as text; Parquet is decoded."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            content += f"{table.to_pylist()} {table.schema.metadata}"
        found[name] = f"{name}\n{content}"
    return found


def holding(texts: dict[str, str], *marks: str) -> list[str]:
    return [name for name, text in texts.items() if any(mark in text for mark in marks)]


def test_nothing_is_printed(frozen):
    assert len(frozen.said) == 10
    assert holding(frozen.said, *MARKS, ESCAPE) == []


def test_a_frozen_cohort_names_nobody(frozen):
    found = everything(frozen.root / "frozen")
    assert set(found) == {"cohort_manifest.json", "cohort_members.parquet"}
    assert holding(found, *MARKS) == []


def test_what_a_run_writes_names_nobody(revised):
    found = everything(revised.root / "out")
    assert any(name.startswith("evidence/") for name in found)
    assert any(name.startswith(("revised_bundle/", "rejected_bundle/")) for name in found)
    assert {"evidence/lineage_members.parquet"} <= found.keys()
    assert any(name.endswith("_bundle/lineage.json") for name in found)
    assert holding(found, NAME) == []
    allowed = {"evidence/predictions.parquet"} if revised.key is None else set()
    assert set(holding(found, PERSON)) <= allowed
    travels = {name: text for name, text in found.items() if not name.startswith("evidence/")}
    ids = ("1.2.826.0.1.3680043.10.9.", "1.2.3.", "1.2.4.")
    assert holding({name: text for name, text in travels.items() if not name.endswith(".pt")}, *ids) == []


def test_what_a_run_prints_names_nobody(revised):
    assert "Model-card difference" in revised.said["unlearn"]
    assert holding(revised.said, *MARKS, ESCAPE) == []


def test_the_marks_are_found_where_they_are(site):
    """The search itself can fail: the index, which stays with the images, holds names in paths."""
    assert holding(everything(site.root / "index"), NAME)
    assert bool(holding(everything(site.root / "index"), PERSON)) == (site.key is None)
    shown = Site(site.root, site.key)
    shown.tool("report", "index", "report", site.root / "index", "--paths")
    assert len(holding(shown.said, NAME)) == 2
    assert holding(shown.said, ESCAPE) == []
    assert holding(shown.said, "\\x1b[31m", "\\u001b[31m") == list(shown.said)
