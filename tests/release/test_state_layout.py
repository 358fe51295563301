from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.release import load_weights
from monai_unlearn.release.state_layout import keys_of, state_dict_of, under_keys

STATE = {"fc.weight": 1, "fc.bias": 2}


@pytest.mark.parametrize(
    "found",
    [
        STATE,
        {"model": STATE, "epoch": 3},
        {"state_dict": STATE, "optimizer": {"state": {}}},
        {"network": STATE},
        {"state_dict": {f"module.{name}": value for name, value in STATE.items()}},
        {"state_dict": {f"model.module.{name}": value for name, value in STATE.items()}},
        {"checkpoint": 1, "model": {"state_dict": STATE}},
    ],
)
def test_finds_the_state_dict(found):
    assert state_dict_of(found, STATE) == STATE
    # What is written under the same keys is found there.
    keys = keys_of(found, STATE)
    again = under_keys(STATE, keys)
    assert keys_of(again, STATE) == keys
    for key in keys:
        found, again = found[key], again[key]
    assert again == STATE


@pytest.mark.parametrize("found", [3, {"a": 1}, {}, {"module.a": 1}])
def test_what_fits_nowhere_is_left_to_torch(found):
    assert state_dict_of(found, STATE) in (found, {"a": 1})


def test_a_network_with_a_part_named_like_a_key():
    state = {"model": 1, "model.weight": 2}
    assert state_dict_of(state, state) == state


def test_weights_in_a_dictionary_are_loaded_without_unpickling(tmp_path):
    network, other = nn.Linear(2, 2), nn.Linear(2, 2)
    torch.save(
        {"epoch": 3, "model": {f"module.{name}": one for name, one in other.state_dict().items()}}, tmp_path / "a.pt"
    )
    load_weights(network, tmp_path / "a.pt")
    assert torch.equal(network.weight, other.weight)
    torch.save({"model": {"weight": torch.zeros(3)}}, tmp_path / "a.pt")
    with pytest.raises(ConfigError, match="does not fit the bundle's network_def"):
        load_weights(network, tmp_path / "a.pt")
