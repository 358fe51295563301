from __future__ import annotations

import pytest
import torch
from predictions_example import predictions

from monai_unlearn.evaluation import Predictions, compare, differences, metrics_table, predict_subsets, wilson
from monai_unlearn.evaluation.metrics import registered

CLASSES = ("a", "b", "c")


def predicted(classes: list[int], labels: list[int]) -> Predictions:
    return Predictions(logits=torch.eye(3)[torch.tensor(classes)], labels=torch.tensor(labels))


BEFORE = {("forget", "test"): predicted([0, 0, 1, 1], [0, 0, 0, 1])}
AFTER = {("forget", "test"): predicted([1, 1, 0, 1], [0, 0, 0, 1])}
NOTHING = Predictions(logits=torch.zeros(0, 0), labels=torch.zeros(0, dtype=torch.long))


def test_predicts_each_subset():
    data = {("remain", "test"): [{"image": torch.tensor([0.0, 1.0]), "label": 1}], ("forget", "test"): []}
    found = predict_subsets(torch.nn.Identity(), data)
    assert {subset: len(each) for subset, each in found.items()} == {("remain", "test"): 1, ("forget", "test"): 0}
    assert found["remain", "test"].correct.tolist() == [True]


def test_every_subset_is_predicted_on_the_device():
    class Recording(torch.nn.Module):
        def forward(self, image):
            self.seen = image.device.type
            return torch.zeros(len(image), 2)

    network = Recording()
    predict_subsets(network, {("remain", "test"): [{"image": torch.zeros(2), "label": 1}]}, device="meta")
    assert network.seen == "meta"


def test_accuracy_is_counted_over_all_classes_and_class_by_class():
    subset = metrics_table(BEFORE, CLASSES)["forget"]["test"]
    assert (subset["n"], subset["correct"], subset["accuracy"]) == (4, 3, 0.75)
    assert subset["interval"] == list(wilson(3, 4))
    classes = {name: (each["n"], each["correct"], each["accuracy"]) for name, each in subset["classes"].items()}
    assert classes == {"a": (3, 2, pytest.approx(2 / 3)), "b": (1, 1, 1.0), "c": (0, 0, None)}


def test_further_metrics_lie_below_their_names():
    found = predictions(60)
    subset = metrics_table({("remain", "test"): found}, CLASSES)["remain"]["test"]
    for metric in list(registered().values())[1:]:
        assert subset[metric.name] == metric.measure(found)
        assert subset["classes"]["b"][metric.name] == metric.measure(found.of_class(1))
    assert "log_loss" in subset


def test_a_subset_without_images_has_no_values():
    subset = metrics_table({("forget", "validation"): NOTHING}, CLASSES)["forget"]["validation"]
    assert subset["n"] == 0
    assert subset["accuracy"] is subset["interval"] is None
    assert subset["log_loss"] == subset["classes"]["a"]["log_loss"] == {"value": None, "interval": None}


def test_a_difference_is_after_minus_before():
    found = differences(BEFORE, AFTER, CLASSES)["forget"]["test"]
    assert found["value"] == -0.25
    assert found["interval"][0] < -0.25 < found["interval"][1]
    assert found["log_loss"]["value"] > 0
    assert {name: each["value"] for name, each in found["classes"].items()} == {
        "a": pytest.approx(-1 / 3),
        "b": 0,
        "c": None,
    }


def test_a_difference_without_images_is_null():
    found = differences({("forget", "test"): NOTHING}, {("forget", "test"): NOTHING}, CLASSES)["forget"]["test"]
    assert (found["value"], found["interval"]) == (None, None)
    assert found["log_loss"] == {"value": None, "interval": None}


def test_counts_the_images_that_changed():
    assert compare(BEFORE, AFTER)["forget"]["test"] == {"lost": 2, "gained": 1, "p_value": pytest.approx(1.0)}
