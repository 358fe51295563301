from __future__ import annotations

import copy
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from method_bench import small_items, small_network

from monai_unlearn.engine.audits import RunNetworks
from monai_unlearn.engine.ensembles import check_ensemble, notes, presented
from monai_unlearn.engine.head import as_classifier, head_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import Composition, LogitEnsemble
from monai_unlearn.methods.passes import Features

IMAGES = torch.stack([item["image"] for item in small_items()])


@pytest.fixture
def root(tmp_path):
    (tmp_path / "configs").mkdir()
    config = {"network_def": {"_target_": "ResNet"}}
    (tmp_path / "configs" / "inference.json").write_text(json.dumps(config), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_it_is_presented_as_the_network_that_it_replaces(head):
    """The mean of one logit each is one logit; both are presented as two."""
    bare = [small_network(seed).eval() for seed in range(3)]
    if head == "sigmoid":
        for network in bare:
            network[5] = torch.nn.Linear(4, 1)
    z = [network(IMAGES) for network in bare]
    networks = [as_classifier(copy.deepcopy(network), head=head) for network in bare]
    found = presented(LogitEnsemble(networks[1:], weight=0.5), networks[0]).eval()
    assert head_of(found).kind == head
    mean = (z[1] + z[2]) / 2
    expected = torch.cat([torch.zeros_like(mean), mean], dim=1) if head == "sigmoid" else mean
    torch.testing.assert_close(found(IMAGES), expected)


def test_only_a_network_of_logits_in_a_bundle_that_names_it_becomes_one(root, tmp_path):
    ensemble = Composition(by="ensemble")
    check_ensemble(ensemble, small_network(), root)
    with pytest.raises(ConfigError, match="by: ensemble averages networks that return logits alone"):
        check_ensemble(ensemble, as_classifier(small_network(), network_output=1), root)
    (root / "configs" / "inference.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="no config defines network_def with a _target_"):
        check_ensemble(ensemble, small_network(), root)
    check_ensemble(Composition(by="linear"), small_network(), root)
    check_ensemble(SimpleNamespace(), small_network(), tmp_path)


def test_a_reader_is_told_what_an_ensemble_is():
    assert "a prediction takes twice the time" in notes(LogitEnsemble([small_network(1), small_network(2)]))[0]
    assert notes(small_network()) == []


def test_a_probe_reads_the_features_of_both():
    a, b = small_network(1).eval(), small_network(2).eval()
    items, rows = small_items(), np.arange(6)
    networks = {"revised": LogitEnsemble([a, b])}
    found = RunNetworks(networks, [items], remain=items, revised="revised").features("revised", rows)
    image = items[0]["image"]
    with torch.no_grad():
        expected = torch.cat([Features(one, image)(IMAGES[:6])[1] for one in (a, b)], dim=1)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-7)
