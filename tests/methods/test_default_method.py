from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tiny import tiny_index, tiny_spec, write_images

from monai_unlearn.data import open_data
from monai_unlearn.errors import ConfigError
from monai_unlearn.index import write_index
from monai_unlearn.methods import ShrinkPerturb, default_for, registered
from monai_unlearn.methods.default_method import DEFAULTS, FALLBACK, PAGE
from monai_unlearn.methods.registry import SUITS
from monai_unlearn.vocabulary.fields import Kind

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
FRESH = "shrink and perturb with a fresh head, which keeps 80 % of every other weight, because the cohort is"
HALF = "shrink and perturb at half of training's rate, which keeps half of every weight, because the cohort is"
LONGER = (
    "shrink and perturb, which keeps half of every weight, at half of training's rate with a budget of up to a tenth "
    "of retraining and at the whole from a fifth on, because the cohort is"
)
UP = "diagnosis == up"
# Patients 0 and 2 have images of class `up`, patient 1 of `down`.
SOME = "patient in [patient-000, patient-001, patient-002, patient-004, patient-006, patient-008]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny_index(folder)
    return folder


def data_of(folder, reason, forget, **settings):
    text = f"schema_version: 1\nname: some\nreason: {reason}\nforget: {forget}\nexpect: {{matched: all}}\n"
    if " in " not in forget:
        text = text.replace("expect: {matched: all}\n", "")
    given = {"class_names": ("up", "down"), **settings}
    return open_data(index_dir=folder / "index", cohort_spec=tiny_spec(folder, text), **given)


@pytest.mark.parametrize(
    ("reason", "forget", "settings", "ground"),
    [
        (
            "other",
            UP,
            (0.8, "head", 1.0, 1.0),
            f"{FRESH} all images of its classes",
        ),
        (
            "other",
            f"{UP} and ManufacturerModelName == Old",
            (0.5, None, 0.5, 0.5),
            f"{HALF} some of the images of one class",
        ),
        (
            "device_deprecation",
            "ManufacturerModelName == Old",
            (0.5, None, 0.5, 1.0),
            f"{LONGER} the images of a device",
        ),
        (
            "policy_change",
            "ManufacturerModelName == Old",
            (0.5, None, 0.5, 1.0),
            f"{LONGER} images of several classes, as of a device",
        ),
        (
            "label_error",
            f"{UP} and ManufacturerModelName == Old",
            (0.5, None, 0.5, 0.5),
            f"{HALF} images with a wrong label",
        ),
        ("consent_withdrawal", SOME, (0.5, None, 0.5, 0.5), f"{HALF} 6 patients who withdrew consent"),
    ],
)
def test_the_default_follows_from_reason_and_classes_and_says_its_ground(folder, reason, forget, settings, ground):
    found = default_for(data_of(folder, reason, forget))
    assert isinstance(found, ShrinkPerturb)
    assert (found.kept, found.depth, found.peak_rate(0.1), found.peak_rate(0.2)) == settings
    assert found.distillation == 0.0
    assert found.ground == f"{ground}; see {PAGE}"


def test_one_patient_is_one(folder):
    found = default_for(data_of(folder, "consent_withdrawal", "patient == patient-000"))
    assert "the cohort is 1 patient who withdrew consent;" in found.ground


def test_several_labels_have_a_default_that_reads_no_set_as_a_class(folder, tmp_path):
    frame = write_images(tmp_path / "images").assign(up=lambda rows: (rows["diagnosis"] == "up").astype(int), wet=1)
    kinds = {"ManufacturerModelName": Kind.TEXT, "diagnosis": Kind.TEXT, "up": Kind.NUMBER, "wet": Kind.NUMBER}
    write_index(frame, tmp_path / "index", kinds=kinds)
    data = data_of(tmp_path, "other", "up == 1", class_names=("up", "wet"), label_key=["up", "wet"])
    found = default_for(data)
    assert (found.depth, FALLBACK.settings["depth"]) == ("last_block", "last_block")
    assert "and an image may have several labels (not measured on such cohorts yet)" in found.ground


def test_without_a_cohort_it_says_what_is_missing(folder):
    with pytest.raises(ConfigError, match="cohort_spec is not set"):
        default_for(open_data(index_dir=folder / "index", class_names=("up", "down")))


def test_every_kind_has_a_default_of_a_registered_method_that_suits_it():
    assert set(DEFAULTS) == set(SUITS)
    for kind, default in DEFAULTS.items():
        info, build = registered()[default.method]
        assert kind in info.suits
        assert build(**default.settings).ground == ""


def test_the_table_is_frozen():
    with pytest.raises(TypeError, match="does not support item assignment"):
        DEFAULTS["class"] = FALLBACK
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        FALLBACK.method = "psg"


def test_what_is_said_to_be_measured_is_in_the_results():
    cohorts = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("comparison_final_*.json")]
    ran = {one["kind"] for one in cohorts for row in one["rows"] if row["method"] == "default" and "verdict" in row}
    assert {kind for kind, default in DEFAULTS.items() if default.measured} == ran
    assert not FALLBACK.measured
