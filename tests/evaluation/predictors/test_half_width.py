from __future__ import annotations

import inspect

import pytest
from monai.networks import nets

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.predictors.half_width import HALF_WIDTH, halved


def parameters(component):
    found = inspect.signature(component).parameters.values()
    return {one.name: None if one.default is one.empty else one.default for one in found}


RESNET = {
    "_target_": "ResNet",
    "block": "basic",
    "layers": [1, 1, 1, 1],
    "block_inplanes": [16, 32, 64, 128],
    "spatial_dims": 2,
    "n_input_channels": 3,
    "num_classes": 3,
}
DENSENET = {"_target_": "DenseNet", "spatial_dims": 2, "in_channels": 3, "out_channels": 3, "block_config": [2, 2]}


def built(definition):
    settings = {name: value for name, value in definition.items() if name != "_target_"}
    return getattr(nets, definition["_target_"])(**settings)


@pytest.mark.parametrize("definition", [RESNET, DENSENET], ids=["ResNet", "DenseNet"])
def test_a_network_of_half_the_width_has_about_a_quarter_of_the_weights(definition):
    half = halved(definition, parameters(getattr(nets, definition["_target_"])))
    whole, narrow = (sum(one.numel() for one in built(one).parameters()) for one in (definition, half))
    assert 0.2 < narrow / whole < 0.35


def test_depth_and_everything_else_stay():
    half = halved(RESNET, parameters(nets.ResNet))
    assert half == {**RESNET, "block_inplanes": [8, 16, 32, 64]}
    assert RESNET["block_inplanes"] == [16, 32, 64, 128]


def test_widths_that_the_bundle_leaves_at_their_default_are_halved_too():
    half = halved(DENSENET, parameters(nets.DenseNet))
    assert (half["init_features"], half["growth_rate"]) == (32, 16)


def test_a_factor_on_widths_is_used_where_there_is_nothing_else():
    assert halved({"_target_": "resnet18"}, {"widen_factor": 1.0}) == {"_target_": "resnet18", "widen_factor": 0.5}
    assert halved({"_target_": "x", "widen_factor": 2.0}, {"widen_factor": 1.0})["widen_factor"] == 1.0


def test_nothing_becomes_narrower_than_one():
    assert halved({"channels": (1, 3)}, {"channels": None})["channels"] == [1, 1]


@pytest.mark.parametrize("given", [{"channels": True}, {"channels": "wide"}, {"channels": [2, "wide"]}, {}])
def test_a_network_without_a_width_is_refused(given):
    with pytest.raises(ConfigError, match="half_width needs a network whose constructor takes its widths"):
        halved({"_target_": "Own", **given}, {"channels": None, "depth": 3})


def test_it_asks_for_as_many_as_it_is_told():
    class Workshop:
        def trained(self, name, change, *, seeds):
            return name, change, seeds

    assert HALF_WIDTH.make(Workshop(), None, 4) == ("half_width", halved, 4)
