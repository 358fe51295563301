from __future__ import annotations

import numpy as np
import pytest
import torch
from predictions_example import predictions
from sklearn.metrics import roc_auc_score

from monai_unlearn.evaluation import Predictions
from monai_unlearn.evaluation.metrics.auroc import AUROC


def test_two_classes_agree_with_scikit_learn():
    found = predictions(120, classes=2)
    assert AUROC.value(found) == pytest.approx(roc_auc_score(found.labels, found.probabilities[:, 1]))


def test_several_classes_are_the_mean_of_each_against_the_rest():
    found = predictions(150, classes=4)
    expected = roc_auc_score(found.labels, found.probabilities, multi_class="ovr", average="macro")
    assert AUROC.value(found) == pytest.approx(expected)


def test_ties_count_half():
    labels = torch.tensor([0, 0, 1, 1])
    found = Predictions(logits=torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 5.0]]), labels=labels)
    assert AUROC.value(found) == pytest.approx(roc_auc_score(labels, found.probabilities[:, 1])) == 0.75


def placements_by_hand(found):
    """DeLong's variance from the definition, all pairs of images."""
    scores, labels = found.probabilities[:, 1].numpy(), found.labels.numpy()
    positive, negative = scores[labels == 1], scores[labels == 0]
    kernel = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    return kernel.mean(1).var(ddof=1) / len(positive) + kernel.mean(0).var(ddof=1) / len(negative)


def test_interval_is_delongs():
    found = predictions(120, classes=2)
    low, high = AUROC.interval(found)
    assert (high - low) / 2 == pytest.approx(1.959964 * placements_by_hand(found) ** 0.5, rel=1e-6)


def test_difference_is_paired():
    before, after = predictions(120, classes=2), predictions(120, classes=2, seed=1)
    found = AUROC.difference(before, after)
    assert found.value == pytest.approx(AUROC.value(after) - AUROC.value(before))
    same = AUROC.difference(before, before)
    assert (same.value, same.interval) == (0, None)
    rng, differences = np.random.default_rng(0), []
    for _ in range(200):
        rows = torch.from_numpy(rng.integers(0, 120, 120))
        differences.append(AUROC.value(after.of_images(rows)) - AUROC.value(before.of_images(rows)))
    assert found.interval[1] - found.value == pytest.approx(1.96 * np.std(differences), rel=0.15)


@pytest.mark.parametrize(
    "found",
    [predictions(50).of_class(1), Predictions(logits=torch.zeros(1, 2), labels=torch.tensor([0]))],
)
def test_no_area_of_one_class(found):
    assert AUROC.measure(found) == {"value": None, "interval": None}
    assert AUROC.measure_difference(found, found) == {"value": None, "interval": None}


def test_no_interval_of_few_images_or_separated_classes():
    assert AUROC.interval(predictions(20, classes=2)) is None
    labels = torch.arange(40) % 2
    assert AUROC.measure(Predictions(logits=torch.eye(2)[labels], labels=labels)) == {"value": 1.0, "interval": None}
