from __future__ import annotations

from types import SimpleNamespace

import torch
from bundle_run import BUNDLE, TINY
from monai.bundle import ConfigParser
from run_files import read
from tiny_trainer import items
from torch import nn

from monai_unlearn.engine.revision_networks import Revised, as_delivered, delivery_images, networks_of, run_networks
from monai_unlearn.engine.shared_predictions import SharedPredictions
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.evaluation.confusion import confusion
from monai_unlearn.index import Index
from monai_unlearn.release import load_weights, weights_digest
from monai_unlearn.vocabulary.run_folder import RunFolder


def test_every_model_is_measured_on_every_part_and_split(revised):
    models = read(revised[0], "metrics.json")["models"]
    controlled = {"original", "original_recalibrated", "revised", "revised_recalibrated", "revised_as_trained"}
    assert set(models) == {*controlled, "reference", "reference_2"}
    counts = {
        (name, part, split): subset["n"]
        for name, parts in models.items()
        for part, splits in parts.items()
        for split, subset in splits.items()
    }
    assert len(counts) == 42
    assert len({n for (_, part, _), n in counts.items() if part == "forget"}) <= 3
    assert sum(models["revised"]["forget"][split]["n"] for split in ("train", "validation", "test")) == 24


def test_the_network_as_trained_is_kept_beside_the_delivered_one(revised):
    """Same weights, other statistics: what recalibration changed can be seen."""
    table = PredictionTable.read(RunFolder(revised[0]).predictions)
    assert not (table.logits["revised_as_trained"] == table.logits["revised"]).all()


def test_predictions_are_those_of_every_network_and_image(tiny, references):
    table = PredictionTable.read(RunFolder(references[0]).predictions)
    assert {one.name: (one.role, one.seed, one.recorded) for one in table.networks} == {
        "original": ("original", 0, True),
        "original_recalibrated": ("control", None, True),
        "revised": ("revised", 0, True),
        "revised_recalibrated": ("control", None, True),
        "reference": ("reference", 1, True),
        "reference_2": ("reference", 2, True),
        "reference_3": ("reference", 3, True),
    }
    assert set(table.frame["image_id"]) == set(Index.open(tiny.index).frame()["image_id"])
    assert table.slices == ("device",)
    metrics = read(references[0], "metrics.json")
    for part, splits in metrics["models"]["reference_2"].items():
        for split, subset in splits.items():
            found = confusion(table, "reference_2", part=part, split=split)
            assert sum(found["counts"][i][i] for i in range(2)) == subset["correct"]
    assert set(metrics["slices"]["revised"]["forget"]["train"]["device"]) == {"New", "Old"}


def test_where_a_class_means_no_disease_sensitivity_and_false_negatives_are_measured(tiny, tmp_path):
    tiny.unlearn(tmp_path / "out", decision={"healthy_classes": ["up"]})
    metrics = read(tmp_path / "out", "metrics.json")
    assert 0 <= metrics["models"]["revised"]["remain"]["train"]["sensitivity"]["value"] <= 1
    assert any(row["measure"] == "false_negatives" for row in metrics["decision"]["endpoints"])
    text = (tmp_path / "out" / "rejected_bundle" / "configs" / "unlearn.yaml").read_text(encoding="utf-8")
    assert '\n  healthy_classes: ["up"]\n' in text


def test_the_effect_of_the_published_batch_norm_is_an_artefact_here_too(tiny, tmp_path):
    """BatchNorm in train mode on forget batches, hardly any learning: recalibration restores every accuracy."""
    settings = {"method::batch_norm": "published", "method::remain_weight": 0.0, "recalibrate": False}
    tiny.unlearn(tmp_path / "out", learning_rate=1e-9, max_epochs=20, **settings)
    models = read(tmp_path / "out", "metrics.json")["models"]
    for split, subset in models["revised_recalibrated"]["remain"].items():
        assert subset["correct"] == models["original_recalibrated"]["remain"][split]["correct"]
    digest = weights_digest(load_weights(network(), tiny.checkpoint).state_dict())
    assert read(tmp_path / "out", "model_card_diff.json")["base"]["weights_digest"] == digest


def network():
    parser = ConfigParser()
    parser.read_config(str(BUNDLE / "configs" / "train.yaml"))
    parser.read_meta(str(BUNDLE / "configs" / "metadata.json"))
    parser.update({"class_names": TINY["class_names"]})
    return parser.get_parsed_content("network_def")


CPU = torch.device("cpu")


def normalised(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def known(**settings):
    """The input of a run on 70 remain images and 4 others."""
    given = {"recalibrate": True, "network": normalised(), "device": CPU, "seed": 0, **settings}
    evaluated = {("remain", "train"): items(5), ("forget", "train"): items(4, label=1)}
    return SimpleNamespace(
        settings=SimpleNamespace(**given), remain=SimpleNamespace(images=items(70)), evaluated=evaluated
    )


def made(as_trained, references=()):
    found = dict.fromkeys(("original", "proxies", "updates", "calibration"))
    return Revised(**{**found, "original": normalised(1), "as_trained": as_trained, "references": references})


def test_a_network_is_delivered_recalibrated_where_that_is_asked_for():
    network = normalised()
    assert as_delivered(known(recalibrate=False), network) is network
    delivered = as_delivered(known(), network)
    assert not torch.equal(delivered[2].running_mean, network[2].running_mean)
    assert torch.equal(delivered[1].weight, network[1].weight)


def test_images_passed_for_delivery_are_those_of_the_recalibration():
    assert delivery_images(known()) == 64
    assert delivery_images(known(recalibrate=False)) == 0
    assert delivery_images(known(network=nn.Linear(4, 2))) == 0


def test_every_network_has_its_name():
    run, retrained = known(), [SimpleNamespace(network=normalised(seed)) for seed in (2, 3)]
    networks = networks_of(run, made(normalised(), retrained), SharedPredictions())
    assert networks["revised"] is run.settings.network
    assert [networks["reference"], networks["reference_2"]] == [one.network for one in retrained]
    assert set(networks) - {"reference", "reference_2"} == {
        "original",
        "original_recalibrated",
        "revised",
        "revised_recalibrated",
        "revised_as_trained",
    }


def test_the_network_as_trained_is_a_network_of_its_own_only_where_it_was_recalibrated():
    assert "revised_as_trained" not in networks_of(known(recalibrate=False), made(normalised()), SharedPredictions())
    plain = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    assert set(networks_of(known(network=plain), made(plain), SharedPredictions())) == {
        "original",
        "original_recalibrated",
        "revised",
    }


def test_audits_recalibrate_the_network_as_trained_where_there_is_one():
    run, order = known(), [("forget", "train"), ("remain", "train")]
    assert run_networks(run, {"revised": None}, order).revised == "revised"
    seen = run_networks(run, {"revised": None, "revised_as_trained": None}, order)
    assert seen.revised == "revised_as_trained"
    assert [len(images) for images in seen.images.datasets] == [4, 5]
    assert seen.remain is run.remain.images
