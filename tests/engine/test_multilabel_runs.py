"""A bundle whose network has two labels, walked end to end: each label has endpoints of its own."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
import yaml
from bundle_run import BUNDLE, PLAIN, judged, run, unlearn
from scipy.special import expit
from tiny import tiny_spec, write_images

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.evaluation.decision import decide_again
from monai_unlearn.index import write_index
from monai_unlearn.release.verify import Kind as FaultKind
from monai_unlearn.release.verify import verify
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.run_folder import RunFolder

LABELS = ["up", "left"]
STATES = ["no up", "up", "no left", "left"]
COLUMNS = {"data::label_key": ["is_up", "is_left"]}
HEALTHY = {"healthy_classes": ["no up", "no left"], "min_patients": 2}
ERASE = {**HEALTHY, "objective": "erase"}
TWO_LABELS = {"class_names": LABELS, **COLUMNS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An index whose columns say of each image whether it is bright at the top, and of a left eye."""
    root = tmp_path_factory.mktemp("labels")
    frame = write_images(root / "images").drop(columns="diagnosis")
    frame["is_up"] = [int(patient[-3:]) % 2 == 0 for patient in frame["patient"]]
    frame["is_left"] = [name.endswith("L") for name in frame["image_id"]]
    frame[["is_up", "is_left"]] = frame[["is_up", "is_left"]].astype(float)
    kinds = {"ManufacturerModelName": Kind.TEXT, "is_up": Kind.NUMBER, "is_left": Kind.NUMBER}
    write_index(frame, root / "index", kinds=kinds, label=None)
    tiny_spec(root)
    return root


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    root = tmp_path_factory.mktemp("bundle") / "labels"
    shutil.copytree(BUNDLE, root)
    presented = {"network": "$engine.as_classifier(@network_def.to(@device), head='multilabel')"}
    for name, change in {
        "train.yaml": {**presented, "train::loss": {"_target_": "torch.nn.CrossEntropyLoss"}},
        "evaluate.yaml": {**presented, "healthy_classes": ["no up", "no left"]},
        "unlearn.yaml": {"head": "multilabel"},
    }.items():
        path = root / "configs" / name
        config = yaml.safe_load(path.read_text())
        for key, value in change.items():
            section, _, inner = key.partition("::")
            config[section] = {**config[section], inner: value} if inner else value
        path.write_text(yaml.safe_dump(config, sort_keys=False))
    return root


@pytest.fixture(scope="module")
def trained(bundle, folder):
    """Settings of a run: original and three references, trained as the bundle trains."""
    shared = {"index_dir": str(folder / "index"), "max_epochs": 3, **TWO_LABELS}
    original = bundle / "models" / "model.pt"
    run("train", "train.yaml", bundle=bundle, checkpoint=str(original), **shared)
    references = [str(folder / f"seed-{seed}" / "model.pt") for seed in (1, 2, 3)]
    remain = {"cohort_spec": str(folder / "spec.yaml"), "parts": ["remain"]}
    for seed, path in enumerate(references, 1):
        run("train", "train.yaml", bundle=bundle, checkpoint=path, seed=seed, **shared, **remain)
    plain = {name: value for name, value in PLAIN.items() if not name.startswith("method")}
    return {
        **plain,
        **TWO_LABELS,
        "bundle": bundle,
        "audits": "default",
        "decision": HEALTHY,
        "index_dir": str(folder / "index"),
        "cohort_spec": str(folder / "spec.yaml"),
        "checkpoint": str(original),
        "reference": references,
    }


@pytest.fixture(scope="module")
def revised(trained, folder):
    unlearn(output_dir=str(folder / "out"), method="neggrad_plus", **trained)
    return RunFolder(folder / "out")


def test_training_names_the_labels(bundle, trained):
    record = json.loads((bundle / "models" / "training.json").read_text())
    assert record["class_names"] == LABELS
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    assert metadata["network_data_format"]["outputs"]["pred"]["channel_def"] == {"0": "up", "1": "left"}


def test_each_label_has_endpoints_of_its_own(revised):
    document = json.loads(revised.metrics.read_text())
    assert document["class_names"] == STATES
    rows = document["decision"]["endpoints"]
    assert {row["class"] for row in rows if row["measure"] == "mean_probability"} == set(STATES)
    # Of a label that is there or not, one probability says all.
    assert all(row["predicted"] == row["class"] for row in rows if row["measure"] == "mean_probability")
    assert {row["class"] for row in rows if row["measure"] == "false_negatives"} == set(LABELS)
    assert document["verdict"] == decide_again(revised).verdict
    (note,) = [one for one in document["warnings"] if "several of 2 labels" in one]
    assert "Audits were not measured" in note
    assert document["audits"] == {}


def test_the_table_holds_what_the_network_says_of_each_label(revised, trained, folder):
    table = PredictionTable.read(revised.predictions)
    assert table.multilabel
    network = network_of(trained["bundle"], trained["checkpoint"])
    images = {row["image_id"]: row for row in write_images(folder / "again").to_dict("records")}
    name = table.frame["image_id"][0]
    assert table.frame["label"][:2].tolist() == [
        "up" if images[name]["diagnosis"] == "up" else "no up",
        "left" if name.endswith("L") else "no left",
    ]
    z = network(image(trained, name))[0].detach().numpy()
    found = table.probabilities("original")[:2]
    np.testing.assert_allclose([found[0, 1], found[1, 3]], expit(z), atol=1e-5)


def network_of(bundle, checkpoint):
    from monai.bundle import ConfigParser

    parser = ConfigParser(yaml.safe_load((bundle / "configs" / "inference.yaml").read_text()))
    parser.read_meta(str(bundle / "configs" / "metadata.json"))
    network = parser.get_parsed_content("network_def")
    network.load_state_dict(torch.load(checkpoint, weights_only=True))
    return network.eval()


def image(trained, name):
    from monai.bundle import ConfigParser

    parser = ConfigParser(yaml.safe_load((trained["bundle"] / "configs" / "unlearn.yaml").read_text()))
    parser.update({"image_size": [16, 16]})
    path = f"{trained['index_dir']}/../images/{int(name[6:9])}{name[9]}.png"
    return parser.get_parsed_content("preprocessing")({"image": path})["image"][None]


def test_the_card_shows_labels_and_the_bundle_keeps_its_layout(revised, trained):
    (made,) = revised.root.glob("*_bundle")
    before, after = (
        torch.load(path, weights_only=True) for path in (trained["checkpoint"], made / "models" / "model.pt")
    )
    assert {name: value.shape for name, value in before.items()} == {name: value.shape for name, value in after.items()}
    assert any(not torch.equal(value, after[name]) for name, value in before.items())
    card = (made / "docs" / "model_card_diff.html").read_text()
    assert "no left" in card
    assert "several of 2 labels" in card
    assert {fault.kind for fault in verify(made).faults} <= {FaultKind.UNSIGNED}


def test_it_is_evaluated_label_by_label(bundle, trained, tmp_path):
    given = {"bundle": bundle, "index_dir": trained["index_dir"], "checkpoint": trained["checkpoint"], **COLUMNS}
    run("evaluate", "evaluate.yaml", output_file=str(tmp_path / "figures.json"), **given, class_names=LABELS)
    found = json.loads((tmp_path / "figures.json").read_text())["models"]["weights"]["remain"]["train"]
    assert list(found["classes"]) == STATES
    assert found["n"] == sum(one["n"] for one in found["classes"].values())
    assert found["sensitivity"]["value"] is not None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "boundary_expand"}, "method: boundary_expand .* Methods for several labels are .*finetune"),
        (
            {"method": "finetune", "calibrate": True, "predictor": "never_trained", "decision": ERASE},
            "head: multilabel does not go with decision: objective erase, predictor, calibrate: .*reference retrain",
        ),
        ({"method": "finetune", "audits": ["membership"]}, "head: multilabel does not go with audits"),
        ({"method": "finetune", "head": "softmax"}, "belong together"),
        ({"method": "finetune", "data::label_key": ["is_up"]}, "label_key: expected a column of 0 and 1 for each"),
    ],
)
def test_what_is_not_made_for_several_labels_is_refused(settings, message, trained, tmp_path):
    with pytest.raises(ConfigError, match=message):
        judged(**{**trained, **settings}, output_dir=str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
