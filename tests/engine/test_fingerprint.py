from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.data.earlier import Earlier
from monai_unlearn.engine.fingerprint import fingerprint, settings

CONFIG = {"seed": 0, "output_dir": "a", "train": {"handlers": ["now"], "optimizer": {"lr": 0.1}}}


def prints(*, weight=1.0, lr=0.1, index="sha256:1", steps=3, **changes):
    network = nn.Linear(2, 2)
    network.load_state_dict({"weight": weight * torch.eye(2), "bias": torch.zeros(2)})
    trainer = SimpleNamespace(
        network=network,
        method=object(),
        optimizer=torch.optim.SGD(network.parameters(), lr=lr),
        total_steps=steps,
        state=SimpleNamespace(device="cpu"),
        loader=SimpleNamespace(batch_sizes={"forget": 2, "remain": 4}, seed=0),
    )
    data = SimpleNamespace(index_digest=index, cohort=None, earlier=Earlier())
    plain = {"config": CONFIG, "references": (), "choices": {"stop": {}, "seed": 0}}
    return fingerprint(trainer, data=data, **{**plain, **changes})


def test_the_same_run_has_the_same_fingerprint_wherever_its_files_are():
    moved = {"seed": 0, "output_dir": "b", "train": {"handlers": ["later"], "optimizer": {"lr": 0.1}}}
    assert prints() == prints(config=moved)


def test_everything_that_determines_the_weights_changes_the_fingerprint(tmp_path):
    (tmp_path / "reference.pt").write_bytes(b"weights")
    changes = [
        {"config": {"seed": 1}},
        {"weight": 2.0},
        {"index": "sha256:2"},
        {"references": [str(tmp_path / "reference.pt")]},
        {"choices": {"stop": {"steps": 1}, "seed": 0}},
        {"choices": {"stop": {}, "seed": 1}},
        {"lr": 0.2},
        {"steps": 4},
    ]
    found = [prints(**change) for change in ({}, *changes)]
    assert all(first != second for row, first in enumerate(found) for second in found[:row])


@pytest.mark.parametrize("key", ["index_dir", "tracking", "initialize"])
def test_paths_and_observers_are_left_out(key):
    assert settings({key: 1, "train": {key: 2, "kept": 3}}) == {"train": {"kept": 3}}
