"""What only the MRI bundle does: slices and volumes of NIfTI, reports, and weights for phantoms."""

from __future__ import annotations

import csv
import json
import shlex

import numpy as np
import pydicom
import pytest
from bundle_run import ROOT, run, unlearn
from bundle_walk import run_over
from monai.bundle import ConfigWorkflow
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.phantom import write_mri_studies

BUNDLE = ROOT / "bundles" / "mri_classifier"
CLASSES = ["glioma", "meningioma", "notumor", "pituitary"]


def drawn(folder, **settings):
    """Draw studies and index them by the command that their summary names."""
    summary = write_mri_studies(folder / "studies", **settings)
    found = CliRunner().invoke(app, shlex.split(summary.next_command)[1:])
    assert found.exit_code == 0, found.output
    return folder / "studies_index", summary


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    """Patients of another seed than that of the weights."""
    return drawn(tmp_path_factory.mktemp("slices"), patients=24, seed=7)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("volumes"), patients=12, seed=3, size=32, nifti=True)


def test_shipped_weights_classify_unseen_phantoms(slices, tmp_path):
    found = tmp_path / "evaluation.json"
    settings = {"class_names": CLASSES, "image_size": [80, 80], "output_file": str(found)}
    run("evaluate", "evaluate.yaml", bundle=BUNDLE, index_dir=str(slices[0]), **settings)
    subsets = json.loads(found.read_text())["models"]["weights"]["remain"].values()
    assert sum(subset["correct"] for subset in subsets) >= 0.85 * sum(subset["n"] for subset in subsets) > 0


def test_rare_classes_have_larger_weights(slices):
    weights = {}
    for balance in (0.0, 1.0):
        workflow = ConfigWorkflow(
            config_file=str(BUNDLE / "configs" / "train.yaml"),
            run_id="train",
            logging_file=False,
            index_dir=str(slices[0]),
            class_balance=balance,
            device="cpu",
            initialize=[],
        )
        workflow.initialize()
        items = workflow.parser.get_parsed_content("train::items")
        weights[balance] = workflow.parser.get_parsed_content("train::loss").weight.numpy()
    counts = np.bincount([item["label"] for item in items])
    assert weights[0.0] == pytest.approx(np.ones(4))
    assert weights[1.0] * counts == pytest.approx(np.full(4, (weights[1.0] * counts)[0]))
    assert weights[1.0].mean() == pytest.approx(1)


def test_a_slice_of_a_volume_is_chosen_by_name(volumes, tmp_path):
    probabilities = {}
    for view in ("axial", "coronal"):
        out = tmp_path / view
        settings = {"class_names": CLASSES, "image_size": [80, 80], "view": view, "output_dir": str(out)}
        run("infer", "inference.yaml", bundle=BUNDLE, dataset_dir=str(volumes[1].out / "images"), **settings)
        _, *rows = csv.reader((out / "predictions.csv").read_text().splitlines())
        assert len(rows) == volumes[1].images
        probabilities[view] = np.array([row[1:] for row in rows], dtype=float)
    assert not np.allclose(probabilities["axial"], probabilities["coronal"], atol=1e-3)


def test_whole_volumes_are_trained_on_and_forgotten(volumes, tmp_path):
    both = {"index_dir": str(volumes[0]), "checkpoint": str(tmp_path / "model" / "model.pt"), "class_names": CLASSES}
    both |= {"image_size": [12, 16, 16], "bundle": BUNDLE}
    run_over("train", "train.yaml", "volume_3d.yaml", **both, max_epochs=1)
    (tmp_path / "spec.yaml").write_text((BUNDLE / "docs" / "retire-scanner.yaml").read_text())
    places = {"cohort_spec": str(tmp_path / "spec.yaml"), "output_dir": str(tmp_path / "out")}
    configs = [str(BUNDLE / "configs" / name) for name in ("unlearn.yaml", "volume_3d.yaml")]
    unlearn(config_file=configs, **both, **places, steps=3)
    (made,) = (tmp_path / "out").glob("*_bundle")
    settings = {"dataset_dir": str(volumes[1].out / "images"), "output_dir": str(tmp_path / "read")}
    settings |= {"class_names": CLASSES, "image_size": [12, 16, 16]}
    run_over("infer", "inference.yaml", "volume_3d.yaml", bundle=made, **settings)
    assert len((tmp_path / "read" / "predictions.csv").read_text().splitlines()) == 1 + volumes[1].images


def test_inference_writes_reports_that_name_the_version(slices, tmp_path):
    patient = slices[1].out / "PHANTOM-000001"
    settings = {"class_names": CLASSES, "image_size": [80, 80], "output_dir": str(tmp_path), "reports": True}
    run("infer", "inference.yaml", bundle=BUNDLE, dataset_dir=str(patient), **settings)
    reports = [pydicom.dcmread(path) for path in (tmp_path / "reports").glob("*.dcm")]
    assert len(reports) == len(list(patient.rglob("*.dcm")))
    version = json.loads((BUNDLE / "configs" / "metadata.json").read_text())["version"]
    for report in reports:
        assert (report.Modality, report.PatientID) == ("SR", "PHANTOM-000001")
        assert report.SoftwareVersions == version
