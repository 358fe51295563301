from __future__ import annotations

import math

import numpy as np
import pytest

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.audits.klom import klom, margins

RNG = np.random.default_rng(0)


def by_hand(first, second):
    """The divergence of two histograms, counted value by value."""
    low, high = min([*first, *second]), max([*first, *second])
    width = (high - low) / 20

    def shares(values):
        counts = [0] * 20
        for value in values:
            counts[min(int((value - low) / width), 19)] += 1
        added = [count / len(values) + 1e-5 for count in counts]
        return [one / sum(added) for one in added]

    return sum(p * math.log(p / q) for p, q in zip(shares(first), shares(second), strict=True))


def test_the_margin_is_the_logit_of_the_probability():
    logits = RNG.normal(size=(4, 6, 3))
    classes = np.array([0, 1, 2, 0, 1, 2])
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    own = np.stack([p[:, image, label] for image, label in enumerate(classes)], axis=1)
    assert margins(logits, classes) == pytest.approx(np.log(own / (1 - own)))
    assert margins(np.array([[500.0, 0.0]]), np.array([0])).tolist() == [100.0]


def test_image_by_image_it_is_the_divergence_of_histograms():
    unlearned, retrained = RNG.normal(size=(30, 5)) + 0.5, RNG.normal(size=(25, 5))
    found = klom(unlearned, retrained)
    expected = [by_hand(unlearned[:, image], retrained[:, image]) for image in range(5)]
    assert found.values.tolist() == pytest.approx(expected)
    floor = [by_hand(retrained[:12, image], retrained[12:, image]) for image in range(5)]
    assert found.floor.tolist() == pytest.approx(floor)


def test_networks_like_the_retrained_ones_are_at_the_floor_and_others_above():
    retrained = RNG.normal(size=(60, 40))
    alike = klom(RNG.normal(size=(60, 40)), retrained).summary()
    assert alike["mean"] < 1.2 * alike["floor_mean"]
    knows = klom(RNG.normal(size=(60, 40)) + 4, retrained).summary()
    assert knows["mean"] > 4 * knows["floor_mean"]
    assert knows["percentile_95"] > knows["mean"]
    assert set(knows) == {"mean", "percentile_95", "floor_mean", "floor_percentile_95"}


def test_twenty_networks_on_each_side_are_needed():
    many, few = np.zeros((20, 3)), np.zeros((19, 3))
    with pytest.raises(DataError, match=r"at least 20 unlearned networks.* got \(19, 3\)"):
        klom(few, many)
    with pytest.raises(DataError, match="at least 20 retrained networks"):
        klom(many, few)
    with pytest.raises(DataError, match="the same images, got 3 unlearned and 4"):
        klom(many, np.zeros((20, 4)))
