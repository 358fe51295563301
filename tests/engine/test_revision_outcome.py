from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
import torch
from bundle_run import BUNDLE
from run_files import read
from tiny import SPEC, tiny_spec
from torch import nn

from monai_unlearn.card import schema
from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.engine.head import as_classifier
from monai_unlearn.engine.revision_outcome import _bundle_settings, _places, _weights_keys
from monai_unlearn.methods import PSG


def test_costs_are_counted_in_gradients(revised):
    out, workflow = revised
    cost = read(out, "metrics.json")["cost"]
    counts = workflow.parser.get_parsed_content("data").counts()
    forget, remain = counts["forget"]["train"], counts["remain"]["train"]
    # One search step on each forget image; two epochs of batches of 8 forget images and up to 32 remain images.
    search, updates = forget, 2 * math.ceil(forget / 8) * (8 + min(32, remain))
    # The width of the network; eight bisections and the label of each image; the statistics of all remain images.
    assert cost["forward_passes"] == {"search": 1 + 9 * forget, "steps": 0, "evaluations": 0, "recalibration": remain}
    passes = (1 + 9 * forget + remain) / 3
    unlearning = round(search + updates + passes)
    assert cost["gradient_evaluations"] == {
        "search": search,
        "updates": updates,
        "forward_passes": round(passes),
        "unlearning": unlearning,
        "retraining": 3 * remain,
    }
    assert cost["this_run"]["gradient_evaluations"] == unlearning
    assert cost["with_references"]["gradient_evaluations"] == unlearning + 2 * 3 * remain
    assert cost["share_of_retraining_gradients"] == pytest.approx(unlearning / (3 * remain))
    assert read(out, "run.json")["cost"] == cost


def test_the_cost_is_that_of_the_backward_passes(tiny, tmp_path, monkeypatch):
    """Hooks count the images of every pass that a gradient flows through, whatever method and trainer count."""
    passes = []
    prepare = PSG.prepare

    def count(_module, _inputs, logits):
        if logits.requires_grad:
            logits.register_hook(lambda gradient: passes.append(len(gradient)))

    def prepare_counted(self, context):
        context.network.register_forward_hook(count)
        prepare(self, context)

    monkeypatch.setattr(PSG, "prepare", prepare_counted)
    tiny.unlearn(tmp_path / "out", **{"method::search_precision": "float32"})
    found = read(tmp_path / "out", "metrics.json")["cost"]["gradient_evaluations"]
    assert 0 < found["search"] < found["search"] + found["updates"] == sum(passes)


def test_the_card_difference_fits_its_schema(revised):
    diff = read(revised[0], "model_card_diff.json")
    jsonschema.validate(diff, schema())
    assert diff["modification"]["cohort"]["forget"] == "ManufacturerModelName == Old"
    assert diff["base"]["weights_digest"] != diff["revised"]["weights_digest"]


def test_the_run_is_recorded(revised):
    out, _ = revised
    record = read(out, "run.json")
    assert record["config"]["max_epochs"] == 2
    assert record["config"]["output_dir"] == str(out)
    assert record["config"]["method"]["_target_"] == "monai_unlearn.methods.PSG"
    assert record["method"] == {"name": "psg", "chosen_by": "user", "ground": "the user chose it"}
    assert record["digests"]["revised_weights"] == read(out, "model_card_diff.json")["revised"]["weights_digest"]
    assert set(record["versions"]) >= {"python", "torch", "monai"}
    assert (record["epochs"], record["seed"]) == (2, 0)


def test_the_members_are_those_of_the_run(revised):
    out, workflow = revised
    frozen = Frozen.read(out / "evidence")
    frame = workflow.parser.get_parsed_content("data").frame
    expected = {row.image_id: (row.part, row.split) for row in frame.itertuples()}
    assert {row["image_id"]: (row["part"], row["split"]) for row in frozen.members.to_pylist()} == expected
    assert frozen.manifest["images"] == {"forget": 24, "remain": 24, "undetermined": 0}


# What stays with the images and names them.
NAMING = ("cohort_members.parquet", "predictions.parquet")


def test_identifiers_are_in_members_and_predictions_alone(revised):
    out, _ = revised
    for path in out.rglob("*"):
        if path.is_file() and path.name not in NAMING:
            assert b"patient-0" not in path.read_bytes(), path
            assert b"image-0" not in path.read_bytes(), path
    assert all((out / "evidence" / name).is_file() for name in NAMING)


def test_people_who_withdrew_consent_are_not_named_in_the_bundle(tiny, tmp_path):
    text = SPEC.replace("device_deprecation", "consent_withdrawal").replace(
        "ManufacturerModelName == Old", "patient in [patient-003, patient-005, patient-006, patient-007]"
    )
    tiny.unlearn(tmp_path / "out", cohort_spec=str(tiny_spec(tmp_path, text)))
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file() and path.name != "predictions.parquet":
            assert b"patient-00" not in path.read_bytes(), path
    card = read(tmp_path / "out", "model_card_diff.json")["modification"]["cohort"]
    assert card["forget"] == "patient in [… 4 values]"


def test_the_card_says_what_was_taken_out_of_the_bundle(tiny, tmp_path):
    base = shutil.copytree(BUNDLE, tmp_path / "base")
    entry = {"path": "models/model.pt", "url": "https://weights.example/old", "hash_val": "0", "hash_type": "md5"}
    (base / "large_files.yml").write_text(json.dumps({"large_files": [entry]}))
    tiny.unlearn(tmp_path / "out", bundle=base)
    assert not list((tmp_path / "out" / "rejected_bundle").rglob("large_files*"))
    (warning,) = [one for one in read(tmp_path / "out", "model_card_diff.json")["warnings"] if "large_files" in one]
    assert warning.startswith("large_files.yml named models/model.pt as downloads: these are weights from before this")
    text = (tmp_path / "out" / "rejected_bundle" / "docs" / "model_card_diff.md").read_text(encoding="utf-8")
    assert "large_files.yml named models/model.pt as downloads" in text


def test_the_evidence_says_that_a_reference_has_no_training_record(tiny, revised, tmp_path):
    shutil.copy(revised[0] / "evidence" / "reference" / "seed-1" / "model.pt", tmp_path / "bare.pt")
    tiny.unlearn(tmp_path / "out", reference=str(tmp_path / "bare.pt"))
    assert read(tmp_path / "out", "metrics.json")["reference_is_recorded"] is False


def saved(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return path


def test_weights_are_looked_for_where_the_file_of_the_bundle_has_them(tmp_path):
    """Its loader reads its own file; what another file calls them means nothing to it."""
    network = nn.Linear(4, 2)
    state = network.state_dict()
    elsewhere = saved(tmp_path / "elsewhere" / "best.pt", {"model": state})
    assert _weights_keys(tmp_path / "bundle", elsewhere, network) == ("model",)
    own = saved(tmp_path / "bundle" / "models" / "model.pt", {"net": {"weights": state}})
    assert _weights_keys(tmp_path / "bundle", elsewhere, network) == ("net", "weights")
    assert _weights_keys(tmp_path / "bundle", own, network) == ("net", "weights")
    beside = saved(own.with_name("best.pt"), {"model": state})
    assert _weights_keys(tmp_path / "bundle", beside, network) == ("model",)


def test_places_are_those_that_relative_ones_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = SimpleNamespace(
        base=SimpleNamespace(root=Path("bundle")),
        retraining=SimpleNamespace(index_dir="index"),
        settings=SimpleNamespace(
            checkpoint="models/model.pt", cohort=SimpleNamespace(spec=SimpleNamespace(source="cohort.yaml"))
        ),
    )
    assert _places(run) == {
        "bundle_root": str(tmp_path / "bundle"),
        "checkpoint": str(tmp_path / "models" / "model.pt"),
        "index_dir": str(tmp_path / "index"),
        "cohort_spec": str(tmp_path / "cohort.yaml"),
    }


@pytest.mark.parametrize(("head", "names"), [("softmax", ["up", "down"]), ("sigmoid", ["down"])])
def test_the_bundle_is_told_the_classes_by_the_outputs_of_its_network(head, names):
    shared = {"class_names": ["other"], "image_size": [8, 8]}
    run = SimpleNamespace(
        settings=SimpleNamespace(
            data=SimpleNamespace(names=("up", "down")),
            network=as_classifier(nn.Linear(4, len(names)), head),
            judged_by=SimpleNamespace(healthy_classes=("up",)),
        ),
        retraining=SimpleNamespace(overrides=shared),
    )
    expected = {"class_names": names, "image_size": [8, 8], "decision::healthy_classes": ["up"]}
    assert _bundle_settings(run) == expected
    assert shared["class_names"] == ["other"]
    run.retraining.overrides = {}
    assert _bundle_settings(run) == {"decision::healthy_classes": ["up"]}
