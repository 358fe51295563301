from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import distributed, nn

from monai_unlearn.engine.replicas import replicated, written_once


@pytest.fixture
def alone(tmp_path):
    """A group of one process: what a copy is and where it is written shows there already."""
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_a_copy_gives_the_weights_of_the_network_itself(alone):
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    copy = replicated(network, "cpu")
    assert copy.state_dict().keys() == network.state_dict().keys()
    assert torch.equal(copy.state_dict()["0.weight"], network.state_dict()["0.weight"])
    assert copy(torch.zeros(4, 3)).shape == (4, 2)


def test_the_first_process_writes_where_it_is_told(alone):
    assert written_once("models/model.pt") == Path("models/model.pt")


def test_the_others_write_where_nobody_reads(alone, monkeypatch):
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    path = written_once("models/model.pt")
    assert path.name == "model.pt"
    assert path.parent.is_dir()
    assert "models" not in path.parts
