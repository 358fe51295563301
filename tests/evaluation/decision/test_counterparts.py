from __future__ import annotations

import numpy as np
import pytest
from decision_example import CLASSES
from membership_example import SUBSETS, memorised
from scipy import stats

from monai_unlearn.evaluation.decision.counterparts import compare_unpaired, counterparts
from monai_unlearn.evaluation.decision.evidence import gather


def test_the_interval_is_that_of_welch():
    rng = np.random.default_rng(0)
    subject, other = rng.uniform(0.2, 0.8, (300, 1)), rng.uniform(0.1, 0.7, (300, 1))
    found = compare_unpaired(subject, other)
    expected = stats.ttest_ind(subject[:, 0], other[:, 0], equal_var=False).confidence_interval(0.9)
    low, high = (float(limit[0]) for limit in found.limits())
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.003)


@pytest.mark.parametrize("patients", [10, 40])
def test_the_interval_covers_the_truth_where_few_patients_decide(patients):
    """Shares of 0 or 1, rare: Student's limits alone would miss too often."""
    rng = np.random.default_rng(1)
    missed = np.zeros(2)
    for _ in range(400):
        draws = [(rng.random((patients, 1)) < share).astype(float) for share in (0.05, 0.1)]
        low, high = compare_unpaired(*draws).limits()
        missed += [float(low[0]) > -0.05, float(high[0]) < -0.05]
    assert (missed / 400 < 0.08).all()


def test_counterparts_are_the_never_trained_images_of_the_class():
    counts = {subset: dict.fromkeys(CLASSES, 10 + i) for i, subset in enumerate(SUBSETS)}
    evidence = gather(memorised({"original": 1.0, "revised": 0.0}, patients=counts))
    both = counterparts(evidence, ("forget", "remain"), "sick")
    assert len(both) == both.images == 11 + 13 + 14
    assert both.soft.shape == both.hard.shape == (2, 38, 2)
    assert len(counterparts(evidence, ("forget",), "sick")) == 11
    assert counterparts(evidence, ("undetermined",), "sick") is None
