from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.engine.fingerprint import fingerprint, settings


def revision(**changes):
    network = nn.Linear(2, 2)
    network.load_state_dict({"weight": torch.eye(2), "bias": torch.zeros(2)})
    plain = {
        "config": {"seed": 0, "output_dir": "a", "train": {"handlers": ["now"], "optimizer": {"lr": 0.1}}},
        "network": network,
        "data": SimpleNamespace(index_digest="sha256:1", cohort=None),
        "reference": None,
        "stop": None,
        "seed": 0,
        "trainer": SimpleNamespace(
            method=object(),
            optimizer=torch.optim.SGD(network.parameters(), lr=changes.pop("lr", 0.1)),
            total_steps=3,
            state=SimpleNamespace(device="cpu"),
            loader=SimpleNamespace(batch_sizes={"forget": 2, "remain": 4}, seed=0),
        ),
    }
    return SimpleNamespace(**{**plain, **changes})


def test_the_same_run_has_the_same_fingerprint_wherever_its_files_lie():
    moved = {"config": {"seed": 0, "output_dir": "b", "train": {"handlers": ["later"], "optimizer": {"lr": 0.1}}}}
    assert fingerprint(revision()) == fingerprint(revision(**moved))


def test_each_thing_that_weights_follow_from_changes_it(tmp_path):
    (tmp_path / "reference.pt").write_bytes(b"weights")
    other = nn.Linear(2, 2)
    changes = [
        {"config": {"seed": 1}},
        {"network": other},
        {"data": SimpleNamespace(index_digest="sha256:2", cohort=None)},
        {"reference": str(tmp_path / "reference.pt")},
        {"stop": {"steps": 1}},
        {"seed": 1},
        {"lr": 0.2},
    ]
    prints = [fingerprint(revision(**change)) for change in ({}, *changes)]
    assert all(first != second for row, first in enumerate(prints) for second in prints[:row])


@pytest.mark.parametrize("key", ["index_dir", "tracking", "initialize"])
def test_places_and_watchers_are_left_out(key):
    assert settings({key: 1, "train": {key: 2, "kept": 3}}) == {"train": {"kept": 3}}
