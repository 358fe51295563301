from __future__ import annotations

import numpy as np
import pytest
from audit_example import audited, frame, network, retrained
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy

from monai_unlearn.evaluation.audits.distance import divergence, entropy, measure, ratio_of, temperature_for

ROWS = frame()
RNG = np.random.default_rng(0)


def found(seeds=3, **networks):
    plain = {"original": network(ROWS, seed=1, strength=3.0), "revised": network(ROWS, seed=2)}
    return measure(audited(ROWS, {**plain, **retrained(ROWS, seeds), **networks}))


def figures(finding, subset="forget_test"):
    return {row.measure: row for row in finding.rows if row.subset == subset}


def test_the_divergence_is_that_of_scipy():
    first, second = RNG.normal(size=(2, 7, 3)) * 3
    expected = [scipy_entropy(p, q) for p, q in zip(softmax(first, 1), softmax(second, 1), strict=True)]
    assert divergence(first, second).tolist() == pytest.approx(expected)
    assert entropy(first) == pytest.approx(np.mean([scipy_entropy(p) for p in softmax(first, 1)]))


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_the_temperature_is_found_again(temperature):
    logits = RNG.normal(size=(50, 4)) * 2
    assert temperature_for(logits, entropy(logits, temperature)) == pytest.approx(temperature, rel=1e-5)


def test_a_temperature_out_of_reach_is_at_its_limit():
    logits = RNG.normal(size=(5, 3))
    assert temperature_for(logits, 0.0) == pytest.approx(np.exp(-8))
    assert temperature_for(logits, 5.0) == pytest.approx(np.exp(8))
    assert temperature_for(np.zeros((5, 3)), 0.5) == 1.0


def test_the_ratio_is_the_divergence_over_that_of_retrained_networks_among_themselves():
    subject, *others = RNG.normal(size=(4, 20, 3)) * 2
    patients = np.arange(20) // 2
    away = np.mean([scipy_entropy(softmax(other, 1), softmax(subject, 1), axis=1).mean() for other in others])
    among = np.mean(
        [scipy_entropy(softmax(a, 1), softmax(b, 1), axis=1).mean() for a in others for b in others if a is not b]
    )
    assert ratio_of(subject, others, patients, seed=0).value == pytest.approx(away / among)
    near = [others[0] + 1e-3 * number for number in range(3)]  # a constant on all logits changes nothing
    away = scipy_entropy(softmax(others[0], 1), softmax(subject, 1), axis=1).mean()
    assert ratio_of(subject, near, patients, seed=0).value == pytest.approx(away / 0.02)
    assert ratio_of(subject, others[:1], patients, seed=0).value is None


def test_a_retrained_network_is_as_far_as_retrained_networks_are_and_the_original_farther():
    row = figures(found())["distance_ratio_equally_sure"]
    assert row.revised.interval[0] < 1.1
    assert row.revised.interval[1] > 0.9
    assert row.original.value > 1.2 * row.revised.value
    assert all(0.7 < one.value < 1.4 for one in row.retrained)
    assert row.revised.interval[0] < row.revised.value < row.revised.interval[1]


def test_hedging_is_rewarded_by_the_raw_ratio_alone():
    """Blurred towards uniform, a network comes nearer to each of several that disagree, without knowing more."""
    sure = {name: 4 * logits for name, logits in retrained(ROWS, strength=0.3).items()}
    own = 4 * network(ROWS, seed=2, strength=0.3)
    hedged = found(revised=0.5 * own, **sure)
    rows, plain = figures(hedged), figures(found(revised=own, **sure))
    assert rows["distance_ratio"].revised.value < 0.95 * plain["distance_ratio"].revised.value
    assert rows["distance_ratio_equally_sure"].revised.value == pytest.approx(
        plain["distance_ratio_equally_sure"].revised.value, rel=1e-3
    )
    assert hedged.facts["temperatures"]["revised"] < 0.7


def test_agreement_is_the_share_put_into_the_same_class():
    subject = audited(ROWS, {"original": network(ROWS, seed=1), "revised": network(ROWS, seed=2), **retrained(ROWS)})
    row = figures(measure(subject))["agreement"]
    rows = subject.rows("forget_test")
    classes = {name: logits[rows].argmax(1) for name, logits in subject.table.logits.items()}
    expected = np.mean([np.mean(classes["revised"] == classes[name]) for name in subject.retrained])
    assert row.revised.value == pytest.approx(expected)
    others = [np.mean(classes["reference"] == classes[name]) for name in ("reference_2", "reference_3")]
    assert row.retrained[0].value == pytest.approx(np.mean(others))


def test_the_range_with_one_seed_left_out_holds_the_value():
    finding = found()
    for name in ("distance_ratio", "distance_ratio_equally_sure"):
        low, high = finding.facts["leave_one_seed_out"][name]["forget_test"]
        assert low < high
        assert low * 0.95 < figures(finding)[name].revised.value < high * 1.05


def test_what_too_few_retrained_networks_cannot_say():
    assert found(seeds=0).status == "not_measurable"
    one = figures(found(seeds=1))
    assert one["distance_ratio"].revised.value is None
    assert "takes two of them" in one["distance_ratio"].why
    assert one["agreement"].revised.value > 0.5
    two = found(seeds=2)
    assert figures(two)["distance_ratio"].revised.value > 0
    assert figures(two)["distance_ratio"].retrained[0].value is None
    assert two.facts["leave_one_seed_out"] == {}
