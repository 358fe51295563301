from __future__ import annotations

import numpy as np
import pytest
import torch
from predictions_example import predictions
from scipy.stats import ttest_1samp, ttest_rel

from monai_unlearn.evaluation import Predictions
from monai_unlearn.evaluation.metrics.mean_loss import mean_loss


def first_logits(predictions: Predictions) -> torch.Tensor:
    """A loss that tests can set: the first logit of each image."""
    return predictions.logits[:, 0].double()


@pytest.fixture
def metric():
    # Made in each test: mutation testing imports this file before it switches a mutant on.
    return mean_loss(name="some_loss", description="a loss", losses=first_logits, highest=1.0)


def with_losses(losses) -> Predictions:
    losses = torch.as_tensor(losses, dtype=torch.float32)
    return Predictions(logits=torch.stack([losses, losses], dim=1), labels=torch.zeros(len(losses), dtype=torch.long))


def test_is_the_mean_and_lower_is_better(metric):
    assert metric.value(with_losses([0.25, 0.75, 0.5])) == 0.5
    assert (metric.direction, metric.range) == ("lower_is_better", (0.0, 1.0))
    assert (metric.name, metric.description) == ("some_loss", "a loss")


def test_the_interval_is_that_of_scipys_test(metric):
    losses = np.random.default_rng(0).uniform(size=40).astype(np.float32)
    expected = ttest_1samp(losses.astype(float), 0).confidence_interval(0.95)
    assert metric.interval(with_losses(losses)) == pytest.approx((expected.low, expected.high))


def test_the_interval_of_a_difference_is_paired(metric):
    a, b = predictions(50, seed=1), predictions(50, seed=2)
    result = ttest_rel(first_logits(b).numpy(), first_logits(a).numpy())
    expected = result.confidence_interval(0.95)
    found = metric.difference(a, b)
    assert found.value == pytest.approx(float((first_logits(b) - first_logits(a)).mean()))
    assert found.interval == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_the_interval_stays_within_the_range(metric, end):
    losses = np.full(30, end)
    losses[0] = 0.5
    interval = metric.interval(with_losses(losses))
    assert end in interval
    assert 0 <= interval[0] < interval[1] <= 1


def test_few_images_have_a_value_but_no_interval(metric):
    few = with_losses(np.linspace(0, 1, 29))
    assert metric.measure(few) == {"value": pytest.approx(0.5), "interval": None}
    assert metric.difference(few, few).interval is None
