from __future__ import annotations

import pytest
from predictions_example import predictions

from monai_unlearn.evaluation import newcombe, wilson
from monai_unlearn.evaluation.metrics.share import share_metric

FIRST = share_metric(
    name="first",
    description="the share of images predicted as the first class",
    count=lambda found: (int((found.logits.argmax(1) == 0).sum()), len(found)),
)
NOTHING = share_metric(name="nothing", description="of no image", count=lambda _: (0, 0))


def test_one_count_gives_value_interval_and_difference():
    a, b = predictions(100), predictions(100, seed=1)
    counts = [int((one.logits.argmax(1) == 0).sum()) for one in (a, b)]
    assert FIRST.value(a) == counts[0] / 100
    assert FIRST.interval(a) == wilson(counts[0], 100)
    found = FIRST.difference(a, b)
    assert found.value == pytest.approx((counts[1] - counts[0]) / 100)
    assert found.interval == newcombe((counts[0], 100), (counts[1], 100))


def test_a_share_of_no_image_is_undefined():
    found = predictions(10)
    assert NOTHING.measure(found) == {"value": None, "interval": None}
    assert NOTHING.difference(found, found) is None
