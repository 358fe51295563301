from __future__ import annotations

import itertools

import numpy as np
import pytest
from audit_example import audited, frame, network, retrained
from audit_networks import PlayedNetworks

from monai_unlearn.evaluation.audits.relearning import MOST_STEPS, cost, measure, steps_to

ROWS = frame({"forget_train": 40, "remain_train": 10}, eyes=1)
ROWS = ROWS[ROWS["label"] == "sick"].reset_index(drop=True)
KNOWN, UNKNOWN = np.array([[0.0, 6.0]]), np.array([[6.0, 0.0]])


def after(steps):
    """A curve that reaches the original after so many steps, and stays there."""
    return [UNKNOWN] * (steps - 1) + [KNOWN] * (MOST_STEPS + 9 - steps)


def found(revised, *seeds, **settings):
    def everywhere(logits):
        return np.repeat(logits, len(ROWS), axis=0)

    names = ["reference", "reference_2", "reference_3"][: len(seeds)]
    curves = {name: after(steps) for name, steps in zip(["revised", *names], [revised, *seeds], strict=True)}
    logits = {"original": everywhere(KNOWN), "revised": everywhere(UNKNOWN)}
    # Outputs that differ a little: two networks with the same are one.
    logits |= {name: everywhere(UNKNOWN) + 0.01 * number for number, name in enumerate(names)}
    for number, name in enumerate(names, 1):
        logits[name][0, 0] += number
    networks = PlayedNetworks(curves=curves)
    finding = measure(audited(ROWS, logits, networks=networks, **settings))
    return finding, {row.measure: row for row in finding.rows}, networks


def test_the_index_is_the_ratio_of_steps():
    finding, rows, networks = found(2, 8, 10, 12)
    row = rows["ain_probability"]
    assert row.revised.value == pytest.approx(2 / 10)
    assert [one.value for one in row.retrained] == pytest.approx([8 / 11, 10 / 10, 12 / 9])
    assert row.place == "below"
    steps = rows["steps_accuracy"]
    assert (steps.original.value, steps.revised.value) == (0, 2)
    assert [one.value for one in steps.retrained] == [8, 10, 12]
    assert finding.facts["not_reached"] == []
    assert len(networks.asked) == 2 + 8 + 10 + 12


def test_a_network_that_relearns_as_retrained_ones_do_is_at_one():
    _, rows, _ = found(10, 8, 10, 12)
    assert rows["ain_accuracy"].revised.value == pytest.approx(1)
    assert rows["ain_accuracy"].place == "within"


def test_what_is_not_reached_counts_as_the_most_steps_and_is_said():
    finding, rows, networks = found(MOST_STEPS + 5, 30, 30, 30)
    assert rows["ain_probability"].revised.value == pytest.approx(MOST_STEPS / 30)
    assert rows["steps_probability"].revised.value is None
    assert finding.facts["not_reached"] == ["revised"]
    assert "by revised" in rows["ain_probability"].why
    assert networks.asked.count("revised") == MOST_STEPS


def test_a_curve_is_read_until_every_aim_is_reached():
    curve = iter([{"a": 0.1, "b": 0.9}, {"a": 0.5, "b": 0.2}, {"a": 0.6, "b": 0.1}, {"a": 0.0, "b": 0.0}])
    assert steps_to({"a": 0.6, "b": 0.9}, curve) == {"a": 2, "b": 0}
    assert next(curve) == {"a": 0.0, "b": 0.0}
    assert steps_to({"a": 2.0}, iter([{"a": 1.0}])) == {"a": None}
    falls_again = [{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 1.0}]
    assert steps_to({"a": 1.0, "b": 1.0}, iter(falls_again)) == {"a": 0, "b": 2}


def test_where_retrained_networks_know_the_images_there_is_nothing_to_relearn():
    logits = {"original": network(ROWS, seed=1), "revised": network(ROWS, seed=2), **retrained(ROWS, 2, strength=9.0)}
    networks = PlayedNetworks(curves={"revised": after(3)})
    rows = {row.measure: row for row in measure(audited(ROWS, logits, networks=networks)).rows}
    assert rows["ain_accuracy"].revised.value is None
    assert "nothing to relearn" in rows["ain_accuracy"].why


def test_it_ends_when_the_time_is_over():
    left = itertools.chain([1.0] * 5, itertools.repeat(0.0))
    finding, _, networks = found(20, 30, 30, seconds_left=lambda: next(left))
    assert finding.status == "skipped"
    assert "before every network had relearnt" in finding.why
    assert len(networks.asked) == 6


def test_without_retrained_networks_it_is_not_measurable():
    finding, _, _ = found(2)
    assert finding.status == "not_measurable"


def test_the_cost_grows_with_the_networks():
    logits = {"original": network(ROWS, seed=1), "revised": network(ROWS, seed=2), **retrained(ROWS, 3)}
    subject = audited(ROWS, logits)
    assert cost(subject).passes == 30 * (3 * 20 + 20) * 4
