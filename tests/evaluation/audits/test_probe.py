from __future__ import annotations

import numpy as np
import pytest
from audit_example import SIZES, audited, frame, network, retrained
from audit_networks import PlayedNetworks
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from monai_unlearn.evaluation.audits.probe import cost, linear_probe, measure, nearest_mean

# Three classes; the forget part is the whole of the third.
CLASSES = 3
ROWS = frame(classes=CLASSES)
ROWS = ROWS[(ROWS["label"] == "class 2") == (ROWS["part"] == "forget")].reset_index(drop=True)
LABELS = ROWS["label"].map({f"class {number}": number for number in range(CLASSES)}).to_numpy()


def features(seed, *, knows):
    """Ten features, three of which tell the classes; unknown, the forgotten one lies half on top of the first."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(len(ROWS), 10))
    found[:, :2] += 5 * np.eye(CLASSES)[LABELS][:, :2]
    found[:, 2] += 5 * knows * (LABELS == 2)
    found[:, 0] += 4 * (1 - knows) * (LABELS == 2)
    return found


def never(logits):
    """The logits of a network whose last layer was told never to name the third class."""
    found = logits.copy()
    found[:, 2] = -20
    return found


def subject(revised_knows):
    logits = {name: never(values) for name, values in retrained(ROWS, classes=CLASSES).items()}
    original = network(ROWS, seed=1, strength=4.0, classes=CLASSES)
    of_rows = {"original": features(1, knows=1.0), "revised": features(1, knows=revised_knows)}
    of_rows |= {name: features(10 + number, knows=0.0) for number, name in enumerate(logits)}
    networks = PlayedNetworks(of_rows=of_rows)
    return audited(ROWS, {"original": original, "revised": never(original), **logits}, networks=networks)


def rows(finding):
    return {(row.measure, row.subset, row.label): row for row in finding.rows}


def test_a_forgetting_of_the_classifier_alone_is_exposed():
    """Only the head was edited: it never names the class, and the features tell it apart as the original's do."""
    found = subject(1.0)
    assert (found.table.logits["revised"].argmax(1) != 2).all()
    row = rows(measure(found))["linear_both", "forget_held_out", "all"]
    assert row.revised.value == row.original.value
    assert row.revised.interval[0] > row.range[1]
    assert row.place == "above"
    assert row.headline


def test_a_network_whose_features_forgot_is_within_the_range_of_retrained_ones():
    row = rows(measure(subject(0.0)))["linear_both", "forget_held_out", "all"]
    assert row.original.value > row.range[1]
    assert row.range[0] - 0.1 < row.revised.value < row.range[1] + 0.1


def test_a_probe_of_remain_images_cannot_name_what_remain_has_not():
    found = rows(measure(subject(1.0)))
    assert found["linear_remain", "forget_train", "all"].original.value == 0
    assert found["nearest_mean_both", "forget_held_out", "class 2"].original.value > 0.8


def test_the_share_is_that_of_the_probe_over_patients():
    found = subject(1.0)
    learnt, tested = found.rows("remain_train", "forget_train"), found.rows("forget_test")
    values = found.networks.of_rows["original"]
    predicted = linear_probe(values[learnt], LABELS[learnt], values[tested])
    row = rows(measure(found))["linear_both", "forget_held_out", "all"]
    assert row.original.value == pytest.approx(np.mean(predicted == 2))
    assert measure(found).facts == {
        "remain_train": len(found.rows("remain_train")),
        "forget_train": len(found.rows("forget_train")),
        "forget_held_out": len(tested),
        "features": 10,
    }


def test_the_nearest_mean_is_that_of_sklearn():
    rng = np.random.default_rng(0)
    values, tested = rng.normal(size=(60, 4)) * [1, 5, 1, 0.1], rng.normal(size=(40, 4)) * [1, 5, 1, 0.1]
    classes = rng.integers(0, 3, 60)
    scaler = StandardScaler().fit(values)
    expected = NearestCentroid().fit(scaler.transform(values), classes).predict(scaler.transform(tested))
    assert nearest_mean(values, classes, tested).tolist() == expected.tolist()
    constant = np.hstack([values, np.ones((60, 1))])
    assert nearest_mean(constant, classes, np.hstack([tested, np.ones((40, 1))])).tolist() == expected.tolist()


def test_the_linear_probe_separates_what_is_separable():
    values = np.repeat(np.eye(3) * 4, 10, axis=0) + np.random.default_rng(0).normal(size=(30, 3)) * 0.3
    classes = np.repeat([4, 7, 9], 10)
    assert linear_probe(values, classes, np.eye(3) * 4).tolist() == [4, 7, 9]


def test_the_cost_is_a_pass_of_every_image_through_every_network():
    found = subject(1.0)
    measure(found)
    assert cost(found).passes == sum(count for _, count in found.networks.asked)


def test_it_needs_forget_images_and_two_classes():
    rows_ = frame({name: size for name, size in SIZES.items() if name.startswith("remain")})
    few = audited(rows_, {"original": network(rows_, seed=1), "revised": network(rows_, seed=2)})
    assert measure(few).status == "not_measurable"
