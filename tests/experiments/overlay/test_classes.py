from __future__ import annotations

from pathlib import Path

import pytest

from monai_unlearn.experiments.overlay.classes import channel_names, data_format, outputs_of
from monai_unlearn.experiments.overlay.config_data import ConfigData


def config(**content):
    return ConfigData(path=Path("inference.json"), content=content)


def metadata(channels, name="pred"):
    return {"network_data_format": {"outputs": {name: {"channel_def": channels}}}}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (metadata({"10": "k", "2": "c", "0": "a"}), ("a", "c", "k")),
        (metadata(["a", "b"]), ("a", "b")),
        (metadata({"0": "a"}, name="type_prediction"), ("a",)),
        (metadata({"first": "a"}), ()),
        ({"network_data_format": {"outputs": {}}}, ()),
        ({}, ()),
    ],
)
def test_names_of_channels_by_their_numbers_in_every_schema(found, expected):
    assert channel_names(found) == expected


def test_a_schema_without_the_network():
    assert data_format({"network_data_format": None}, "inputs") == {}


@pytest.mark.parametrize(
    ("network", "steps", "loss", "head"),
    [
        ({"num_classes": 4}, [{"_target_": "Activationsd", "sigmoid": True}], None, "softmax"),
        ({"out_channels": "@n"}, [{"_target_": "AsDiscreted", "argmax": True}], "torch.nn.CrossEntropyLoss", "softmax"),
        ({"num_classes": 1}, [], "torch.nn.BCEWithLogitsLoss", "sigmoid"),
        ({"num_classes": 3}, [], "torch.nn.BCEWithLogitsLoss", "multilabel"),
        ({"num_classes": 3}, [{"_target_": "AsDiscreted", "threshold": 0.5}], None, "multilabel"),
        ({"num_classes": 3}, [], "$torch.nn.BCEWithLogitsLoss()", "multilabel"),
        ({"num_classes": 3}, [], "$lambda p, y: torch.nn.functional.cross_entropy(p, y)", "softmax"),
        (
            {"num_classes": 3},
            [],
            "$lambda p, y: torch.nn.functional.binary_cross_entropy_with_logits(p, y)",
            "multilabel",
        ),
    ],
)
def test_what_the_outputs_are(network, steps, loss, head):
    found = config(network_def={"_target_": "Net", **network}, n=2, postprocessing=steps)
    training = None if loss is None else config(loss=loss if loss.startswith("$") else {"_target_": loss})
    assert outputs_of({}, found, training).head == head


def test_the_number_of_outputs_may_be_unknown():
    assert outputs_of({}, config(network_def={"_target_": "Net"}), None).count is None
    assert outputs_of({}, config(), None).count is None
