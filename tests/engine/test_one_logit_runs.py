"""A bundle whose network has one logit, walked end to end, beside the same network with two."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
import yaml
from bundle_run import BUNDLE, PLAIN, judged, run, unlearn

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.vocabulary.run_folder import RunFolder

ONE = {"network_def::num_classes": 1}
TWO = {**ONE, "network_def::_target_": "one_logit_example.TwoLogitResNet"}
SIGMOID = {"_target_": "Compose", "transforms": [{"_target_": "Activationsd", "keys": "pred", "sigmoid": True}]}
DECISION = {"healthy_classes": ["up"], "min_patients": 2}


@pytest.fixture(scope="module")
def one_logit(tmp_path_factory):
    """The bundle with a single channel, whose `train` presents the network, and whose other configs say `head`."""
    root = tmp_path_factory.mktemp("bundle") / "camera"
    shutil.copytree(BUNDLE, root)
    metadata = json.loads((root / "configs" / "metadata.json").read_text())
    metadata["network_data_format"]["outputs"]["pred"] |= {"num_channels": 1, "channel_def": {"0": "down"}}
    (root / "configs" / "metadata.json").write_text(json.dumps(metadata))
    presented = {"network": "$engine.as_classifier(@network_def.to(@device), head='sigmoid')"}
    for name, change in {
        "train.yaml": presented,
        "evaluate.yaml": presented,
        "unlearn.yaml": {"head": "sigmoid"},
        "inference.yaml": {"postprocessing": SIGMOID},
    }.items():
        path = root / "configs" / name
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **change}, sort_keys=False))
    return root


@pytest.fixture(scope="module")
def trained(one_logit, tiny, tmp_path_factory):
    """Settings of a run: original and two references, trained as the bundle trains."""
    folder, shared = tmp_path_factory.mktemp("weights"), {"index_dir": str(tiny.index), "max_epochs": 3, **ONE}
    original = one_logit / "models" / "model.pt"
    run("train", "train.yaml", bundle=one_logit, checkpoint=str(original), **shared)
    references = [str(folder / f"seed-{seed}" / "model.pt") for seed in (1, 2)]
    remain = {"cohort_spec": str(tiny.spec), "parts": ["remain"]}
    for seed, path in enumerate(references, 1):
        run("train", "train.yaml", bundle=one_logit, checkpoint=path, seed=seed, **shared, **remain)
    plain = {name: value for name, value in PLAIN.items() if not name.startswith("method")}
    return {
        **plain,
        "decision": DECISION,
        "index_dir": str(tiny.index),
        "cohort_spec": str(tiny.spec),
        "checkpoint": str(original),
        "reference": references,
    }


@pytest.fixture(scope="module")
def both(one_logit, trained, tmp_path_factory):
    """The folders of the same run on one logit and on two."""
    folder = tmp_path_factory.mktemp("runs")
    for name, settings in {"one": ONE, "two": {**TWO, "head": "softmax"}}.items():
        unlearn(bundle=one_logit, output_dir=str(folder / name), method="neggrad_plus", **trained, **settings)
    return RunFolder(folder / "one"), RunFolder(folder / "two")


def test_predictions_and_verdict_are_those_of_two_logits(both):
    one, two = (PredictionTable.read(run.predictions) for run in both)
    assert [network.name for network in one.networks] == [network.name for network in two.networks]
    for name, logits in one.logits.items():
        np.testing.assert_array_equal(logits, two.logits[name])
    assert (one.logits["original"] != one.logits["revised"]).any()
    documents = [json.loads(run.metrics.read_text()) for run in both]
    assert documents[0]["decision"] == documents[1]["decision"]
    assert documents[0]["models"] == documents[1]["models"]


def test_the_revised_bundle_keeps_its_layout(one_logit, both):
    (bundle,) = both[0].root.glob("*_bundle")
    before, after = (torch.load(root / "models" / "model.pt", weights_only=True) for root in (one_logit, bundle))
    assert {name: value.shape for name, value in before.items()} == {name: value.shape for name, value in after.items()}
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    pred = metadata["network_data_format"]["outputs"]["pred"]
    assert (pred["num_channels"], pred["channel_def"]) == (1, {"0": "down"})
    card = (bundle / "docs" / "model_card_diff.html").read_text()
    assert "down" in card


def test_it_is_evaluated(one_logit, trained, tmp_path):
    shared = {name: trained[name] for name in ("index_dir", "checkpoint")}
    output = tmp_path / "figures.json"
    run("evaluate", "evaluate.yaml", bundle=one_logit, output_file=str(output), **shared, **ONE)
    found = json.loads(output.read_text())["models"]["weights"]["remain"]["train"]
    assert found["n"] == sum(one["n"] for one in found["classes"].values())
    assert set(found["classes"]) == {"up", "down"}


def test_it_infers_the_probability_of_the_second_class(both, tmp_path, tiny):
    (bundle,) = both[0].root.glob("*_bundle")
    images = tiny.index.parent / "images"
    run("infer", "inference.yaml", bundle=bundle, dataset_dir=str(images), output_dir=str(tmp_path), **ONE)
    found = dict(line.rsplit(",", 1) for line in (tmp_path / "predictions.csv").read_text().split())
    table = PredictionTable.read(both[0].predictions)
    for name, expected in zip(table.frame["image_id"], table.probabilities("revised")[:, 1], strict=True):
        path = images / f"{int(name[6:9])}{name[9]}.png"
        assert float(found[str(path)]) == pytest.approx(expected, abs=1e-5)


def test_an_auxiliary_head_is_left_alone_and_named(one_logit, trained, tmp_path):
    network = {**ONE, "network_def::_target_": "one_logit_example.AuxiliaryResNet"}
    shared = {"index_dir": trained["index_dir"], "max_epochs": 1, **network}
    original = tmp_path / "models" / "model.pt"
    run("train", "train.yaml", bundle=one_logit, checkpoint=str(original), **shared)
    given = {**trained, "checkpoint": str(original), "reference": None, "output_dir": str(tmp_path / "out")}
    unlearn(bundle=one_logit, method="finetune", **given, **network)
    (note,) = [
        one for one in json.loads(RunFolder(tmp_path / "out").metrics.read_text())["warnings"] if "auxiliary" in one
    ]
    assert "may hold what they learnt" in note
    before, after = (
        torch.load(path, weights_only=True) for path in (original, next(tmp_path.glob("out/*/models/model.pt")))
    )
    assert torch.equal(before["aux.weight"], after["aux.weight"])
    assert not torch.equal(before["fc.weight"], after["fc.weight"])


def test_one_logit_is_refused_as_one_of_classes(one_logit, trained, tmp_path):
    given = {**trained, "bundle": one_logit, "output_dir": str(tmp_path / "out"), "method": "finetune", **ONE}
    with pytest.raises(ConfigError, match=r"expected outputs of shape \(1, 2\) .* needs head: sigmoid"):
        judged(**given, head="softmax")
    with pytest.raises(ConfigError, match="expected two class_names"):
        judged(**given, class_names=["up", "down", "left"])
