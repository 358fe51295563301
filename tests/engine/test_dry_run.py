from __future__ import annotations

import json
import shutil

import pytest
import torch
from bundle_run import BUNDLE
from torch import nn
from zoo_classifiers import LAYOUTS, write_bundle, write_data

from monai_unlearn.engine.dry_run import _outputs, main, try_bundle
from monai_unlearn.experiments.overlay.sample_image import SampleImage


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A 3-D bundle, with an overlay that has only what is tried."""
    folder = tmp_path_factory.mktemp("bundle")
    layout = LAYOUTS["densenet_3d"]()
    root = write_bundle(folder / "bundle", layout)
    item = dict(SampleImage.of(write_data(folder, layout), {}).item)
    return root, item


def request(root, item, **changes):
    return {
        "configs": [str(root / "configs" / "inference.yaml")],
        "training": [],
        "bundle_root": str(root),
        "checkpoint": str(root / "models" / "model.pt"),
        "item": item,
        "shape": [1, 16, 16, 16],
        "class_names": ["absent", "present"],
        **changes,
    }


def test_an_image_goes_through_a_network_whose_weights_are_in_a_dictionary(bundle):
    report = try_bundle(request(*bundle))
    assert report["failed"] == {}
    assert report["input"]["shape"] == [1, 16, 16, 16]
    assert 0 <= report["input"]["low"] < report["input"]["high"] <= 1
    assert report["outputs"] == [{"name": None, "shape": [1, 2]}]


def test_without_an_image_noise_of_the_right_shape_does(bundle):
    root, _ = bundle
    assert try_bundle(request(root, None))["outputs"] == [{"name": None, "shape": [1, 2]}]


@pytest.mark.parametrize(
    ("last", "classes", "expected"),
    [
        (nn.Identity(), 2, {}),
        (nn.Identity(), 1, {}),
        (nn.LogSoftmax(1), 2, {}),
        (nn.Softmax(1), 2, {"activation": "softmax"}),
        (nn.Sigmoid(), 1, {"activation": "sigmoid"}),
        (nn.Sigmoid(), 3, {"activation": "sigmoid"}),
    ],
)
def test_outputs_that_are_probabilities_already(last, classes, expected):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, classes), last)
    with torch.no_grad():
        network[1].bias.fill_(0.3)
    (one,) = _outputs(network, torch.zeros(1, 4, 4))
    assert one == {"name": None, "shape": [1, classes], **expected}


@pytest.mark.parametrize(
    ("changes", "step", "reason"),
    [
        ({"configs": ["none.yaml"]}, "configs", "none.yaml"),
        ({"item": {"image": "none.nii.gz", "label": 0}}, "preprocessing", "none.nii.gz"),
        ({"item": None, "shape": [2, 16, 16, 16]}, "forward", "RuntimeError"),
        ({"checkpoint": "none.pt"}, "weights", "there are no weights"),
    ],
)
def test_what_fails_is_named_with_its_reason(bundle, changes, step, reason):
    report = try_bundle({**request(*bundle), **changes})
    assert reason in report["failed"][step]
    assert len(report["failed"][step]) <= 400


def test_a_report_is_written(bundle, tmp_path):
    (tmp_path / "request.json").write_text(json.dumps({**request(*bundle), "item": None}))
    main(str(tmp_path / "request.json"), str(tmp_path / "report.json"))
    assert json.loads((tmp_path / "report.json").read_text())["failed"] == {}


def test_one_step_of_training(tmp_path):
    root = tmp_path / "bundle"
    shutil.copytree(BUNDLE, root)
    layout = LAYOUTS["endoscopic_inbody"]()
    item = dict(SampleImage.of(write_data(tmp_path, layout), {}).item)
    configs = root / "configs"
    changes = {
        "configs": [str(configs / "unlearn.yaml")],
        "checkpoint": None,
        "class_names": ["normal", "b", "c"],
    }
    report = try_bundle(request(root, item, **changes, training=[str(configs / "unlearn.yaml")]))
    # `unlearn.yaml` has no `train::run`: the reason is the error, and everything before it worked.
    assert report["input"]["shape"] == [3, 64, 64]
    assert set(report["failed"]) == {"training"}
