from __future__ import annotations

import random

import pytest
import torch

from monai_unlearn.engine.random_state import random_state, set_random_state


def draw():
    return [random.getrandbits(64), torch.rand(2).tolist(), random.gauss(0, 1)]


def test_draws_continue_from_a_saved_state(tmp_path):
    random.seed(3)
    torch.manual_seed(3)
    torch.save(random_state(), tmp_path / "state.pt")
    drawn = draw()
    assert draw() != drawn
    set_random_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert draw() == drawn


def test_the_second_of_a_pair_of_gaussian_draws_is_restored():
    random.seed(3)
    random.gauss(0, 1)
    state, drawn = random_state(), random.gauss(0, 1)
    random.seed(4)
    set_random_state(state)
    assert random.gauss(0, 1) == drawn


@pytest.mark.parametrize(("devices", "restored"), [(2, [[1, 2]]), (1, [])])
def test_cuda_generators_are_restored_if_the_devices_are_the_same(monkeypatch, devices, restored):
    calls = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [1, 2])
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", calls.append)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    set_random_state(random_state())
    assert calls == restored
