from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from monai_unlearn.methods.depth_probe import Estimate, Part, cohort_auc, shared_classes, transfer

CLASSES = 3


def part(count, *, seed, shift=0.0, signal=2.0, flipped=False, classes=CLASSES):
    """Features whose first columns tell the class, and whose last is moved by a shift."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    features = random.normal(size=(count, CLASSES + 1))
    features[np.arange(count), labels] += -signal if flipped else signal
    features[:, -1] += shift
    return Part(features=features, labels=labels)


def test_a_shifted_cohort_has_the_auc_of_two_normal_distributions():
    """Φ(d/√2) for a distance d, by a probe that has enough to learn it from."""
    found = cohort_auc(
        part(3000, seed=1, shift=1.0),
        part(3000, seed=2),
        judged=(part(900, seed=3, shift=1.0), part(900, seed=4)),
        seed=0,
    )
    assert found.value == pytest.approx(0.7602, abs=0.02)
    # Hanley and McNeil 1982, of an AUC of 0.5 of 300 against 300 images, in three classes.
    n = 300
    assert found.error == pytest.approx(np.sqrt((0.25 + (n - 1) / 6) / n**2) / np.sqrt(CLASSES), rel=0.01)


def test_the_auc_is_that_of_mann_and_whitney_within_classes():
    mine, theirs, held = part(60, seed=1, shift=1.0), part(90, seed=2), (part(30, seed=3, shift=1.0), part(60, seed=4))
    found = cohort_auc(mine, theirs, judged=held, seed=0)
    from monai_unlearn.methods.depth_probe import _separator

    scores = [_separator(mine, theirs).decision_function(one.features) for one in held]
    values = [
        mannwhitneyu(scores[0][held[0].labels == name], scores[1][held[1].labels == name]).statistic / (10 * 20)
        for name in range(CLASSES)
    ]
    assert found.value == pytest.approx(np.mean(values))


def test_neither_classes_nor_their_mix_tell_a_cohort():
    """The cohort is nearly all of one class; within classes there is nothing to find."""
    random = np.random.default_rng(0)
    labels = random.choice(3, 600, p=[0.8, 0.1, 0.1])
    mine = Part(features=random.normal(size=(600, 4)) + 2 * np.eye(4)[labels], labels=labels)
    for judged in (None, (part(300, seed=3), part(300, seed=4))):
        found = cohort_auc(mine, part(600, seed=2), judged=judged, seed=0)
        assert found.low(0.999) < 0.5 < found.low(0.001)


def test_the_mix_of_classes_does_not_distract_from_what_tells_a_cohort():
    """Nearly all of the cohort is of one class, which a probe without weights would learn instead of the shift."""
    labels = np.random.default_rng(0).choice(3, 3000, p=[0.9, 0.05, 0.05])
    mine = Part(features=np.random.default_rng(1).normal(size=(3000, 4)) + 2 * np.eye(4)[labels], labels=labels)
    mine.features[:, -1] += 1
    held = part(900, seed=3, shift=1.0), part(900, seed=4)
    assert cohort_auc(mine, part(3000, seed=2), judged=held, seed=0).value == pytest.approx(0.7602, abs=0.02)


def test_without_never_trained_images_halves_judge_each_other():
    found = cohort_auc(part(600, seed=1, shift=1.0), part(600, seed=2), judged=None, seed=0)
    assert found.value == pytest.approx(0.76, abs=0.04)
    assert found == cohort_auc(part(600, seed=1, shift=1.0), part(600, seed=2), judged=None, seed=0)


def test_an_estimate_has_a_lower_bound():
    assert Estimate(value=0.7, error=0.1).low(0.975) == pytest.approx(0.7 - 0.196, abs=1e-4)


def test_transfer_is_the_share_of_recall_above_chance():
    """Known: perfect on the rest, and right on every other image of the cohort, so (1/2 − 1/3) / (1 − 1/3) = 1/4."""
    rest = part(120, seed=1, signal=40.0)
    half = part(60, seed=2, signal=40.0)
    wrong = np.arange(60) // CLASSES % 2 == 0
    half.features[wrong] = np.roll(half.features[wrong][:, :CLASSES], 1, axis=1) @ np.eye(CLASSES, CLASSES + 1)
    found = transfer((half, part(60, seed=3, signal=40.0)), (rest, part(120, seed=4, signal=40.0)), seed=0)
    assert (found.original, found.fresh) == (pytest.approx(0.25), pytest.approx(1.0))
    assert found.gain.value == pytest.approx(-0.75)
    # Of each image of the cohort, correct_original − correct_fresh is 0 or −1, divided by 2/3; the rest adds nothing.
    assert found.gain.error == pytest.approx(0.5 / np.sqrt(60) * 1.5)


def test_the_rest_adds_to_the_error():
    """Known: the cohort is always right, and only the recall r on the rest of the fresh network varies."""
    sure, n = part(60, seed=2, signal=40.0), 600
    found = transfer((sure, sure), (part(n, seed=1, signal=40.0), part(n, seed=4, signal=1.0)), seed=0)
    above = (1 - 1 / 3) / found.fresh
    r = above + 1 / 3
    assert 0.5 < r < 0.8
    assert found.gain.error == pytest.approx(found.fresh / above * np.sqrt(r * (1 - r) / n), rel=0.05)


def test_the_error_is_that_of_repeated_draws():
    gains, errors = [], []
    for seed in range(60):
        cohort = part(120, seed=10 * seed), part(120, seed=10 * seed + 1, flipped=True)
        rest = part(240, seed=10 * seed + 2), part(240, seed=10 * seed + 3)
        found = transfer(cohort, rest, seed=seed)
        gains.append(found.gain.value)
        errors.append(found.gain.error)
    assert np.mean(errors) == pytest.approx(np.std(gains), rel=0.35)


def test_what_cannot_be_measured_is_none():
    good, one_class = part(60, seed=1), part(60, seed=2, classes=1)
    chance = part(60, seed=3, signal=0.0)
    other = Part(features=good.features, labels=good.labels + 5)
    assert transfer((good, good), (chance, good), seed=0) is None
    assert transfer((good, good), (good, chance), seed=0) is None
    assert transfer((one_class, one_class), (one_class, one_class), seed=0) is None
    assert transfer((other, other), (good, good), seed=0) is None
    assert cohort_auc(other, good, judged=None, seed=0) is None
    assert cohort_auc(good, good, judged=(other, good), seed=0) is None


def test_classes_with_two_images_on_both_sides_count():
    assert shared_classes(np.array([0, 0, 1, 2, 2]), np.array([0, 0, 1, 1, 2])) == [0]
