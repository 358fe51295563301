from __future__ import annotations

import copy
import itertools
import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from monai_unlearn.engine.audits import RunNetworks, run_audits
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import Network, PredictionTable, predict
from monai_unlearn.evaluation.audits import registered

GENERATOR = torch.Generator().manual_seed(0)


def items(n, *, label=None, shift=0.0):
    return [
        {"image": torch.randn(1, 6, 6, generator=GENERATOR) + shift, "label": row % 2 if label is None else label}
        for row in range(n)
    ]


def classifier(seed=0, *layers):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), *layers, *HEAD())


def HEAD():  # noqa: N802 - a constant that must be new for each network
    return nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 2)


SETS = [items(7), items(0), items(9)]


def networks(module=None, **settings):
    module = module or classifier()
    plain = {"remain": items(64, shift=2.0), "revised": "revised"}
    return RunNetworks({"revised": module, "original": classifier(1)}, SETS, **{**plain, **settings})


ALL = np.arange(16)
IMAGES = torch.stack([item["image"] for one in SETS for item in one])


def test_rows_are_those_of_the_data_sets_one_after_the_other():
    found = networks().features("original", np.array([0, 6, 7, 15]))
    with torch.no_grad():
        expected = classifier(1).eval()[:-1](IMAGES[[0, 6, 7, 15]])
    assert torch.allclose(torch.from_numpy(found).float(), expected, atol=1e-6)
    assert found.shape == (4, 5)


def test_features_with_a_place_are_averaged_over_it():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    found = networks(module).features("revised", ALL)
    with torch.no_grad():
        expected = module[:2](IMAGES).mean((2, 3))
    assert torch.allclose(torch.from_numpy(found).float(), expected, atol=1e-6)


def test_relearning_descends_on_the_images_and_leaves_the_network_alone():
    module = classifier()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    labels = torch.tensor([item["label"] for one in SETS for item in one])
    curve = list(itertools.islice(networks(module).relearn("revised", ALL), 200))
    assert curve[0].shape == (16, 2)
    losses = [nn.functional.cross_entropy(torch.from_numpy(logits), labels) for logits in (curve[0], curve[-1])]
    assert losses[1] < losses[0]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    again = list(itertools.islice(networks(module).relearn("revised", ALL), 3))
    assert np.array_equal(again[2], curve[2])


def test_the_first_step_is_that_of_adam():
    """Its first step has the length of the rate wherever there is a gradient."""
    module, rows = classifier(), np.array([1, 4, 9])
    labels = torch.tensor([SETS[0][1]["label"], SETS[0][4]["label"], SETS[2][2]["label"]])
    found = next(networks(module).relearn("revised", rows))
    plain = classifier().eval()
    nn.functional.cross_entropy(plain(IMAGES[rows]), labels).backward()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.sub_(3e-4 * parameter.grad / (parameter.grad.abs() + 1e-8))
        assert torch.allclose(torch.from_numpy(found).float(), plain(IMAGES[rows]), atol=1e-6)


def test_recalibration_takes_the_images_that_it_is_told_to():
    found = networks()
    assert found.has_batch_norm
    logits = [found.recalibrated(ALL, images=images, seed=seed) for images, seed in ((256, 1), (256, 1), (256, 2))]
    assert np.array_equal(logits[0], logits[1])
    # Each pass is one batch of all 64 remain images: no order of them changes anything.
    assert np.allclose(logits[0], logits[2], atol=1e-5)
    with torch.no_grad():
        plain = classifier().eval()(IMAGES).numpy()
    assert not np.allclose(logits[0], plain, atol=1e-3)
    assert not networks(nn.Sequential(nn.Flatten(), nn.Linear(36, 2))).has_batch_norm


def table(modules):
    """The predictions of networks on the subsets of a small cohort, whose images they are."""
    sizes = {"forget_train": 30, "forget_test": 20, "remain_train": 64, "remain_test": 20}
    sets = {subset: items(size) for subset, size in sizes.items()}
    rows = [
        {"image_id": f"{name}-{i}", "patient": f"{name}-{i}", "part": name.split("_")[0], "split": name.split("_")[1]}
        | {"label": ("up", "down")[item["label"]]}
        for name, found in sets.items()
        for i, item in enumerate(found)
    ]
    logits = {
        name: torch.cat([predict(module, found).logits for found in sets.values()]).numpy()
        for name, module in modules.items()
    }
    listed = tuple(Network(name=name, role=name.partition("_")[0], seed=i) for i, name in enumerate(modules))
    return sets, PredictionTable(frame=pd.DataFrame(rows), class_names=("up", "down"), networks=listed, logits=logits)


@pytest.fixture(scope="module")
def cohort():
    names = ("original", "revised", "reference", "reference_2", "reference_3")
    modules = {name: classifier(number) for number, name in enumerate(names)}
    sets, predictions = table(modules)
    return RunNetworks(modules, list(sets.values()), remain=sets["remain_train"], revised="revised"), predictions


def test_every_audit_is_measured_where_there_is_time(cohort, tmp_path):
    found, spent = run_audits(
        "default", *cohort, seed=0, plots=tmp_path / "plots", allowed=100.0, seconds_per_pass=1e-4, clock=lambda: 0.0
    )
    assert list(found) == list(registered())
    assert {name: one["why"] for name, one in found.items() if one["status"] != "measured"} == {}
    assert spent["allowed"] == 100.0
    assert (tmp_path / "plots" / "embeddings.png").is_file()
    json.dumps(found, allow_nan=False)


def test_names_choose_audits_and_nothing_is_nothing(cohort, tmp_path):
    settings = {"seed": 0, "plots": tmp_path, "allowed": 100.0, "seconds_per_pass": 1e-4}
    assert list(run_audits(["recall_gap"], *cohort, **settings)[0]) == ["recall_gap"]
    assert run_audits([], *cohort, **settings)[0] == {}
    with pytest.raises(ConfigError, match="audits: expected one of membership"):
        run_audits(["recal_gap"], *cohort, **settings)


def test_a_slow_network_is_audited_on_its_predictions_alone(cohort, tmp_path):
    found, _ = run_audits(
        "default", *cohort, seed=0, plots=tmp_path / "plots", allowed=1.0, seconds_per_pass=1.0, clock=lambda: 0.0
    )
    assert {name for name, one in found.items() if one["status"] == "skipped"} == {
        "probe",
        "batchnorm",
        "relearning",
        "embeddings",
    }
    assert not (tmp_path / "plots").exists()


def learnt(images, seed, *, steps=60, classes=3):
    """A small network that was trained on images until it fits them."""
    torch.manual_seed(seed)
    # A bottleneck: what the classes do not need is not kept.
    bottleneck = (nn.Linear(64, classes - 1), nn.Linear(classes - 1, classes))
    module = nn.Sequential(nn.Flatten(), nn.Linear(36, 64), nn.ReLU(), *bottleneck)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    batch, labels = torch.stack([item["image"] for item in images]), torch.tensor([item["label"] for item in images])
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(batch), labels).backward()
        optimizer.step()
    return module.eval()


def audited(sets, modules, *names, tmp_path):
    """The rows of some audits of these networks."""
    logits = {
        name: torch.cat([predict(module, found).logits for found in sets.values()]).numpy()
        for name, module in modules.items()
    }
    class_names = tuple(f"class {number}" for number in range(logits["original"].shape[1]))
    rows = [
        {"image_id": f"{name}-{i}", "patient": f"{name}-{i}", "part": name.split("_")[0], "split": name.split("_")[1]}
        | {"label": class_names[item["label"]]}
        for name, found in sets.items()
        for i, item in enumerate(found)
    ]
    listed = tuple(Network(name=name, role=name.partition("_")[0], seed=i) for i, name in enumerate(modules))
    predictions = PredictionTable(frame=pd.DataFrame(rows), class_names=class_names, networks=listed, logits=logits)
    seen = RunNetworks(modules, list(sets.values()), remain=sets["remain_train"], revised="revised")
    found, _ = run_audits(names, seen, predictions, seed=0, plots=tmp_path, allowed=1e6, seconds_per_pass=1e-4)
    assert {one["status"] for one in found.values()} == {"measured"}
    return {(row["measure"], row["subset"], row["class"]): row for one in found.values() for row in one["rows"]}


def of_class(n, label):
    """Images of a class: each brightens a third of the picture, not the same one."""
    found = [torch.randn(1, 6, 6, generator=GENERATOR) for _ in range(n)]
    for image in found:
        image[:, 2 * label : 2 * label + 2] += 1.0
    return [{"image": image, "label": label} for image in found]


@pytest.fixture(scope="module")
def whole_class():
    """Networks that learnt three classes, and two of them."""
    sets = {
        "forget_train": of_class(60, 2),
        "forget_test": of_class(40, 2),
        "remain_train": [*of_class(60, 0), *of_class(60, 1)],
        "remain_test": [*of_class(30, 0), *of_class(30, 1)],
    }
    names = ("reference", "reference_2", "reference_3")
    modules = {name: learnt(sets["remain_train"], 10 + number) for number, name in enumerate(names)}
    return sets, learnt([*sets["forget_train"], *sets["remain_train"]], 1), modules


def test_a_network_of_which_the_head_alone_was_edited_is_exposed_by_the_probe(whole_class, tmp_path):
    sets, original, retrained = whole_class
    edited = copy.deepcopy(original)
    with torch.no_grad():
        edited[-1].bias[2] -= 40.0  # it never names the class again; nothing below the head has changed
    assert (predict(edited, sets["forget_test"]).logits.argmax(1) != 2).all()
    modules = {"original": original, "revised": edited, **retrained}
    rows = audited(sets, modules, "probe", "tug_of_war", tmp_path=tmp_path)
    probe = rows["linear_both", "forget_held_out", "all"]
    assert probe["revised"]["value"] == probe["original"]["value"]
    assert probe["place"] == "above"
    # Accuracies say that it did as retraining does.
    assert rows["tug_of_war", None, "all"]["revised"]["value"] > 0.9


def test_a_network_that_memorised_is_a_member_and_one_that_never_saw_the_images_is_not(tmp_path):
    """Labels are drawn: whoever knows them has seen the images."""
    generator = torch.Generator().manual_seed(1)

    def drawn(n):
        labels = torch.randint(0, 2, (n,), generator=generator).tolist()
        return [{"image": torch.randn(1, 6, 6, generator=generator), "label": label} for label in labels]

    sizes = {"forget_train": 120, "forget_test": 120, "remain_train": 120, "remain_test": 80}
    sets = {name: drawn(n) for name, n in sizes.items()}
    everything = [*sets["forget_train"], *sets["remain_train"]]
    modules = {"original": learnt(everything, 1, classes=2), "revised": learnt(sets["remain_train"], 2, classes=2)}
    modules |= {
        f"reference{more}": learnt(sets["remain_train"], 3 + number, classes=2)
        for number, more in enumerate(("", "_2", "_3"))
    }
    rows = audited(sets, modules, "membership", tmp_path=tmp_path)
    for attack in ("loss", "rmia", "iam"):
        row = rows[f"auc_{attack}", "forget_train", "all"]
        assert row["original"]["interval"][0] > 0.75
        low, high = row["revised"]["interval"]
        assert low < 0.5 < high
