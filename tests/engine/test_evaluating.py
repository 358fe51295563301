from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.engine import evaluate
from monai_unlearn.engine.evaluating import predict_models
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import save_weights, weights_digest

DATA = SimpleNamespace(class_names=("up", "down"), labels=(), index_digest="sha256:1", cohort=None)


class Sign(nn.Module):
    """Predicts class 1 for an image whose single pixel is above the running mean, else class 0."""

    def __init__(self, *, batch_norm):
        super().__init__()
        self.norm = nn.BatchNorm1d(1) if batch_norm else nn.Identity()

    def forward(self, images):
        value = self.norm(images)
        return torch.cat([-value, value], dim=1)


def images(*pairs):
    return [{"image": torch.tensor([value]), "label": label} for value, label in pairs]


# On the scale of these images, a running mean of 0 says 1 for all; the mean of the images separates them.
SUBSETS = {("remain", "train"): images((1.0, 0), (3.0, 1)), ("remain", "test"): images((1.0, 0), (1.5, 1), (3.0, 1))}


def run(tmp_path, subsets=SUBSETS, *, batch_norm=True, **options):
    save_weights(Sign(batch_norm=batch_norm), tmp_path / "model.pt")
    return evaluate(
        network=Sign(batch_norm=batch_norm), checkpoint=tmp_path / "model.pt", data=DATA, subsets=subsets, **options
    )


def test_weights_and_their_recalibrated_control_are_measured(tmp_path):
    models = run(tmp_path)["models"]
    counts = {
        name: [parts["remain"][split]["correct"] for split in ("train", "test")] for name, parts in models.items()
    }
    assert counts == {"weights": [1, 2], "recalibrated": [2, 2]}


@pytest.mark.parametrize(
    ("batch_norm", "subsets"), [(False, SUBSETS), (True, {("remain", "test"): SUBSETS["remain", "test"]})]
)
def test_without_running_statistics_or_remain_images_there_is_no_control(tmp_path, batch_norm, subsets):
    assert set(run(tmp_path, subsets, batch_norm=batch_norm)["models"]) == {"weights"}


def test_the_result_is_printed_and_written(tmp_path, capsys):
    found = run(tmp_path, output_file=tmp_path / "deep" / "result.json")
    assert json.loads((tmp_path / "deep" / "result.json").read_text()) == found
    assert found["weights_digest"] == weights_digest(Sign(batch_norm=True).state_dict())
    assert "66.7" in capsys.readouterr().out


def test_every_model_is_measured_on_every_subset_but_an_empty_validation_subset():
    subsets = {("forget", "test"): [], ("forget", "validation"): [], **SUBSETS}
    found = predict_models({"a": Sign(batch_norm=False), "b": Sign(batch_norm=True)}, subsets, device="cpu")
    assert [list(parts) for parts in found.values()] == [[("forget", "test"), *SUBSETS]] * 2
    assert len(found["a"]["remain", "test"].labels) == 3


def test_no_image_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no image to evaluate in these parts and splits"):
        run(tmp_path, {("forget", "test"): []})


def test_sensitivity_and_specificity_are_measured_where_a_class_is_healthy(tmp_path):
    found = run(tmp_path, healthy_classes=["up"])
    test = found["models"]["recalibrated"]["remain"]["test"]
    assert found["healthy_classes"] == ["up"]
    # Of two images of `down`, one is called `up`; the image of `up` is.
    assert (test["sensitivity"]["value"], test["specificity"]["value"]) == (0.5, 1.0)
    unknown = run(tmp_path)
    assert unknown["healthy_classes"] == []
    assert unknown["models"]["recalibrated"]["remain"]["test"]["sensitivity"]["value"] is None


def test_a_healthy_class_that_is_no_class_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="healthy_classes: expected one of up, down, got 'upp'. Did you mean 'up'"):
        run(tmp_path, healthy_classes=["upp"])
