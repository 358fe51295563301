"""Predictions that runs share: computed once, equal to those that each run computes for itself, and never required."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from counted_decoding import Decoded, write_items
from torch import nn
from torch.utils.data import Subset

from monai_unlearn.data import InMemoryDataset
from monai_unlearn.engine.evaluating import predict_models
from monai_unlearn.engine.head import as_classifier, head_of
from monai_unlearn.engine.recalibration import with_controls
from monai_unlearn.engine.shared_predictions import FOLDER, SharedPredictions
from monai_unlearn.evaluation import predict_subsets

PASSED = []


class Network(nn.Module):
    """Counts the batches that pass through it."""

    def __init__(self, *, seed=0, classes=2):
        super().__init__()
        torch.manual_seed(seed)
        self.norm, self.last = nn.BatchNorm1d(3), nn.Linear(3, classes)

    def forward(self, images):
        PASSED.append(len(images))
        return self.last(self.norm(images))


@pytest.fixture(autouse=True)
def _none_passed_before():
    PASSED.clear()


@pytest.fixture
def subsets(tmp_path):
    images = InMemoryDataset(write_items(tmp_path / "images"), Decoded(), lazy=True)
    return {("remain", "train"): images, ("forget", "test"): Subset(images, [4, 2]), ("remain", "test"): []}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "shared"
    made.mkdir()
    return made


def passed():
    found = len(PASSED)
    PASSED.clear()
    return found


def same(found, other):
    for subset, one in other.items():
        assert torch.equal(found[subset].logits, one.logits)
        assert torch.equal(found[subset].labels, one.labels)
        assert (found[subset].images is None) == (one.images is None)
        assert found[subset].images is None or torch.equal(found[subset].images, one.images)
        assert found[subset].healthy == one.healthy
    return list(found) == list(other)


@pytest.mark.parametrize("labels_of", [0, 2])
def test_a_second_run_predicts_nothing_and_gets_the_same(folder, subsets, labels_of):
    network = Network(classes=4 if labels_of else 2).train()
    options = {"device": "cpu", "healthy": (1,), "labels_of": labels_of}
    expected = predict_subsets(network, subsets, **options)
    assert passed() == 2
    for passes in (2, 0):
        shared = SharedPredictions(folder)
        assert same(shared.predict_subsets(Network(classes=network.last.out_features), subsets, **options), expected)
        assert passed() == passes
        assert (shared.seconds > 0) == (passes == 0)
    assert network.training


def test_torch_draws_the_same_afterwards(folder, subsets):
    drawn = []
    for shared in (SharedPredictions(), SharedPredictions(folder), SharedPredictions(folder)):
        network = Network()
        shared.predict_subsets(network, subsets, device="cpu")
        with_controls({"a": network}, subsets["remain", "train"], device="cpu", seed=0, shared=shared)
        drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[1] == drawn[2]


def test_other_weights_images_or_options_are_predicted(folder, subsets):
    def run(network=None, images=subsets, **options):
        SharedPredictions(folder).predict_subsets(network or Network(), images, **{"device": "cpu", **options})
        return passed()

    assert run() == 2
    changed = Network()
    changed.norm.running_mean[0] = 1
    assert run(changed) == run(Network(seed=1)) == 2
    assert run(Network().eval()) == 0  # a network predicts in eval mode
    assert run(images={("forget", "test"): Subset(subsets["remain", "train"], [2, 4])}) == 1
    assert run(healthy=(0,)) == 0  # says how they are counted


def test_what_has_no_digest_is_predicted_each_time(folder, subsets):
    plain = {("forget", "test"): [subsets["remain", "train"][row] for row in range(3)]}
    hooked = Network()
    hooked.register_forward_hook(lambda *_: None)
    for _ in range(2):
        SharedPredictions(folder).predict_subsets(Network(), plain, device="cpu")
        SharedPredictions(folder).predict_subsets(hooked, subsets, device="cpu")
    assert passed() == 6
    assert list(folder.iterdir()) == []


def test_a_control_is_recalibrated_once_and_predicted_once(folder, subsets):
    remain = subsets["remain", "train"]
    found = []
    for _ in range(2):
        shared = SharedPredictions(folder)
        networks = with_controls({"original": Network()}, remain, device="cpu", seed=3, shared=shared)
        models = predict_models(networks, subsets, device="cpu", shared=shared)
        found.append((networks, models, passed(), shared.seconds))
    assert [(one[2], one[3] > 0) for one in found] == [(1 + 2 * 2, False), (0, True)]
    alone = with_controls({"original": Network()}, remain, device="cpu", seed=3)
    for networks, models, _, _ in found:
        for name, network in networks.items():
            assert str(network.state_dict()) == str(alone[name].state_dict())
            assert same(models[name], predict_models(alone, subsets, device="cpu")[name])
    passed()
    with_controls({"original": Network()}, remain, device="cpu", seed=4, shared=SharedPredictions(folder))
    assert passed() == 1


class TwoOutputs(Network):
    def forward(self, images):
        found = super().forward(images)
        return {"out": found, "aux": found}


def test_a_head_notices_other_outputs_all_the_same(folder, subsets):
    for passes in (2, 0):
        network = as_classifier(TwoOutputs())
        SharedPredictions(folder).predict_subsets(network, subsets, device="cpu")
        assert passed() == passes
        assert head_of(network).has_others


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive", "other"])
def test_a_file_that_is_not_whole_or_of_something_else_is_computed_again(folder, subsets, content):
    expected = SharedPredictions(folder).predict_subsets(Network(), subsets, device="cpu")
    passed()
    for path in (folder / FOLDER).iterdir():
        np.savez(path, other=np.zeros(1)) if content == "other" else path.write_bytes(content)
    shared = SharedPredictions(folder)
    assert same(shared.predict_subsets(Network(), subsets, device="cpu"), expected)
    assert (passed(), shared.seconds) == (2, 0)


def test_a_folder_that_is_gone_is_not_made_again_and_a_full_disk_ends_no_run(folder, subsets, monkeypatch):
    folder.rmdir()
    assert SharedPredictions(folder).predict_subsets(Network(), subsets, device="cpu")
    assert not folder.exists()
    folder.mkdir()
    monkeypatch.setattr("numpy.savez", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert SharedPredictions(folder).predict_subsets(Network(), subsets, device="cpu")
    assert list((folder / FOLDER).iterdir()) == []
