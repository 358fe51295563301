from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import binary, everywhere, table

from monai_unlearn.evaluation.decision import gather
from monai_unlearn.evaluation.decision.unchanged import moved, toward, unchanged

FORGET = ("forget_train", "forget_test")
ORIGINAL = everywhere(binary(0.99, 0.99))
RETRAINED = everywhere(binary(0.8, 0.8))


def evidence(revised):
    return gather(table({"original": ORIGINAL, "revised": revised, "reference-0": RETRAINED}, stable=1.0, patients=100))


def test_how_far_predictions_moved():
    found = evidence(RETRAINED)
    # 19 of 100 patients flip, each from 0.97 to 0.03.
    assert moved(found, "revised", FORGET) == pytest.approx(0.19 * 0.94)
    assert unchanged(found, FORGET) is None


@pytest.mark.parametrize("revised", [0.99, 0.98])
def test_a_network_that_hardly_moved_is_named(revised):
    assert "predicts the forget part as the original does" in unchanged(
        evidence(everywhere(binary(revised, 0.99))), FORGET
    )


def test_without_images_nothing_is_said():
    assert unchanged(evidence(ORIGINAL), ["forget_validation"]) is None


NEAR = everywhere(binary(0.94, 0.94))
REFERENCES = {f"reference-{i}": everywhere(binary(0.9, 0.9)) for i in range(3)}


def shaken(patients, seed, by=0.8, references=REFERENCES):
    """The original with noise on every image, beside networks that retraining has moved."""
    shares = {"original": NEAR, "revised": NEAR, **references}
    found = table(shares, patients=patients, stable=0.97, seed=seed)
    noise = np.random.default_rng(seed).normal(0, by, found.logits["original"].shape)
    return gather(replace(found, logits={**found.logits, "revised": found.logits["original"] + noise}))


@pytest.mark.parametrize("patients", [5, 30, 200])
def test_a_shaken_original_goes_nowhere(patients):
    for seed in range(20):
        found = shaken(patients, seed)
        assert moved(found, "revised", FORGET) > 0.1 * moved(found, "reference-0", FORGET)
        assert "does not move toward retrained networks" in unchanged(found, FORGET)


def test_each_retrained_network_goes_most_of_the_way_toward_the_others():
    found = shaken(200, 0)
    way = toward(found, "reference-0", ("reference-1", "reference-2"), FORGET)
    assert way.share > 0.5
    assert 0 < way.low < way.share
    assert toward(found, "original", found.references, FORGET).share == 0
    assert unchanged(replace(found, revised="reference-1"), FORGET) is None


def test_the_share_of_the_way_is_that_of_least_squares_over_patients():
    found = shaken(40, 1)
    steps, ways = [], []
    for subset in FORGET:
        for means in found.subsets[subset].values():
            before = means.soft[found.rows("original")[0]]
            steps.append(means.soft[found.rows("revised")[0]] - before)
            ways.append(means.soft[found.rows(*found.references)].mean(0) - before)
    step, way = (np.concatenate(one).ravel() for one in (steps, ways))
    expected = np.linalg.lstsq(way[:, None], step, rcond=None)[0][0]
    assert toward(found, "revised", found.references, FORGET).share == pytest.approx(expected)


def test_one_patient_on_whom_retraining_differs_shows_no_way():
    shares = {"original": ORIGINAL, "revised": RETRAINED, "reference-0": everywhere(binary(0.0, 0.0))}
    found = gather(table(shares, patients=1, stable=1.0))
    only = {"forget_train": {"sick": found.subsets["forget_train"]["sick"]}}
    assert toward(replace(found, subsets=only), "reference-0", ("reference-0",), FORGET).low == float("-inf")
