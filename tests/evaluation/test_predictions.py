from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation import Predictions, predict


class BrightestPixel(nn.Module):
    """Predicts class k where pixel k is brightest; in train mode all logits are 0."""

    def forward(self, image):
        return image.flatten(1) * (not self.training)


def items(pixels: list[list[float]], labels: list[int]) -> list[dict]:
    return [{"image": torch.tensor(p).view(1, 1, -1), "label": label} for p, label in zip(pixels, labels, strict=True)]


DATA = items([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], [0, 1, 2, 2])


def test_every_image_is_predicted_in_order():
    found = predict(BrightestPixel(), DATA, batch_size=3)
    assert found.logits.argmax(1).tolist() == [0, 1, 1, 2]
    assert found.labels.tolist() == [0, 1, 2, 2]
    assert found.correct.tolist() == [True, True, False, True]


def test_an_empty_data_set_gives_no_predictions():
    found = predict(BrightestPixel(), [])
    assert (tuple(found.logits.shape), tuple(found.labels.shape), found.labels.dtype) == ((0, 0), (0,), torch.long)
    assert found.correct.tolist() == []


def test_images_are_moved_to_the_device():
    class Recording(nn.Module):
        def forward(self, image):
            self.seen = image.device.type
            return torch.zeros(len(image), 3)

    network = Recording()
    predict(network, DATA, device="meta")
    assert network.seen == "meta"


@pytest.mark.parametrize("training", [True, False])
def test_evaluates_in_eval_mode_and_restores_the_mode(training):
    network = BrightestPixel().train(training)
    assert predict(network, DATA).correct.sum() == 3
    assert network.training is training


def test_restores_the_mode_when_the_network_fails():
    network = BrightestPixel().train()
    with pytest.raises(KeyError, match="image"):
        predict(network, [{"label": 0}])
    assert network.training


@pytest.mark.parametrize("label", [3, 5])
def test_refuses_labels_beyond_the_outputs(label):
    with pytest.raises(DataError, match=f"class number {label}, but the network has 3 outputs"):
        predict(BrightestPixel(), items([[1, 0, 0]], [label]))


def test_the_images_of_one_class():
    found = predict(BrightestPixel(), DATA).of_class(2)
    assert found.labels.tolist() == [2, 2]
    assert found.correct.tolist() == [False, True]
    assert len(predict(BrightestPixel(), DATA).of_class(3)) == 0


def test_probabilities_are_a_softmax_in_double_precision():
    logits = torch.tensor([[1.0, 3.0, -2.0]])
    found = Predictions(logits=logits, labels=torch.tensor([0])).probabilities
    expected = torch.tensor([[1.0, 3.0, -2.0]], dtype=torch.float64).exp()
    torch.testing.assert_close(found, expected / expected.sum())


def test_healthy_classes():
    logits = torch.eye(3)[[0, 1, 2, 0]]
    found = Predictions(logits=logits, labels=torch.tensor([0, 0, 1, 2]), healthy=(0, 1))
    assert found.is_healthy.tolist() == [True, True, True, False]
    assert found.called_healthy.tolist() == [True, True, False, True]
    assert found.of_class(0).healthy == (0, 1)
    assert found.of_images(torch.tensor([3])).is_healthy.tolist() == [False]
    none = Predictions(logits=logits, labels=found.labels)
    assert not none.is_healthy.any()
    assert not none.called_healthy.any()
    empty = Predictions(logits=torch.zeros(0, 0), labels=torch.zeros(0, dtype=torch.long), healthy=(0,))
    assert empty.called_healthy.tolist() == []
