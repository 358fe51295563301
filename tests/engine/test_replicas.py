from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import distributed, nn

from monai_unlearn.engine.replicas import replicated, written_once


@pytest.fixture
def alone(tmp_path):
    """A process group of one."""
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_the_state_dict_is_that_of_the_wrapped_network(alone):
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    copy = replicated(network, "cpu")
    assert copy.state_dict().keys() == network.state_dict().keys()
    assert torch.equal(copy.state_dict()["0.weight"], network.state_dict()["0.weight"])
    assert copy(torch.zeros(4, 3)).shape == (4, 2)


def test_the_main_process_writes_to_the_given_path(alone):
    assert written_once("models/model.pt") == Path("models/model.pt")


def test_other_processes_write_to_a_temporary_path(alone, monkeypatch):
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    path = written_once("models/model.pt")
    assert path.name == "model.pt"
    assert path.parent.is_dir()
    assert "models" not in path.parts
