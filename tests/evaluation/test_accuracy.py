from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation import Predictions, accuracy, predict, wilson


class Reader(nn.Module):
    """Reads class k where pixel k is brightest; in train mode it reads nothing."""

    def forward(self, image):
        return image.flatten(1) * (not self.training)


def items(pixels: list[list[float]], labels: list[int]) -> list[dict]:
    return [{"image": torch.tensor(p).view(1, 1, -1), "label": label} for p, label in zip(pixels, labels, strict=True)]


DATA = items([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], [0, 1, 2, 2])


def test_counts_in_all_and_by_class():
    found = accuracy(predict(Reader(), DATA, batch_size=3), ["a", "b", "c", "d"])
    assert (found["n"], found["correct"], found["accuracy"]) == (4, 3, 0.75)
    assert found["interval"] == list(wilson(3, 4))
    assert {name: (c["n"], c["correct"]) for name, c in found["classes"].items()} == {
        "a": (1, 1),
        "b": (1, 1),
        "c": (2, 1),
        "d": (0, 0),
    }
    assert found["classes"]["d"]["accuracy"] is None


def test_an_empty_part_has_no_accuracy():
    found = accuracy(predict(Reader(), []), ["a", "b"])
    assert found["n"] == 0
    assert found["accuracy"] is found["interval"] is None


@pytest.mark.parametrize("training", [True, False])
def test_evaluates_in_eval_mode_and_puts_the_mode_back(training):
    reader = Reader().train(training)
    assert predict(reader, DATA).right.sum() == 3
    assert reader.training is training


def test_refuses_labels_beyond_the_outputs():
    with pytest.raises(DataError, match="class number 5, but the network has 3 outputs"):
        predict(Reader(), items([[1, 0, 0]], [5]))


def test_predictions_know_what_is_right():
    found = Predictions(logits=torch.tensor([[0.0, 1.0], [1.0, 0.0]]), labels=torch.tensor([1, 1]))
    assert found.right.tolist() == [True, False]
