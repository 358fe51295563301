from __future__ import annotations

import json

import pytest
from zoo_classifiers import LAYOUTS, write_bundle

from monai_unlearn.experiments.overlay.activations import check_activations
from monai_unlearn.experiments.overlay.facts import BundleFacts
from monai_unlearn.experiments.overlay.settings import Choices


def found(tmp_path, *, network=(), loss=None, **choices):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["breast_density"](), weights=False)
    path = root / "configs" / "inference.json"
    config = json.loads(path.read_text())
    config["network_def"].update(network)
    path.write_text(json.dumps(config))
    if loss is not None:
        (root / "configs" / "train.json").write_text(json.dumps({"loss": loss}))
    return [(one.code, one.stops) for one in check_activations(BundleFacts.read(root), Choices(**choices))]


SIGMOID, ACTIVATED = ("sigmoid", False), ("activated", True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [SIGMOID]),
        ({"head": "softmax"}, []),
        ({"labels": ("A", "B", "C", "D")}, []),
        ({"loss": {"_target_": "torch.nn.CrossEntropyLoss"}}, []),
        ({"loss": "$torch.nn.CrossEntropyLoss()"}, []),
        ({"loss": {"_target_": "torch.nn.BCEWithLogitsLoss"}}, []),
        ({"loss": {"_target_": "torch.nn.BCELoss"}}, [ACTIVATED]),
        ({"loss": "$torch.nn.BCELoss()"}, [ACTIVATED]),
        ({"loss": {"_target_": "torch.nn.NLLLoss"}, "head": "softmax"}, [("log_probabilities", False)]),
        ({"network": {"last_act": "Sigmoid"}, "head": "softmax"}, [ACTIVATED]),
        ({"network": {"last_act": ["softmax", {"dim": 1}]}, "head": "softmax"}, [ACTIVATED]),
        ({"network": {"last_act": "LogSoftmax"}, "head": "softmax"}, []),
        ({"network": {"last_act": None}, "head": "softmax"}, []),
        ({"network": {"last_act": "relu"}, "head": "softmax"}, []),
    ],
)
def test_what_configs_say_of_the_outputs(tmp_path, given, expected):
    assert found(tmp_path, **given) == expected
