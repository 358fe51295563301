from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import binary, decision, everywhere, table

from monai_unlearn.evaluation.decision import gather
from monai_unlearn.evaluation.decision.kept import compared_with_original, with_sensitivities


def found(revised, patients=400):
    original = everywhere(binary(0.95, 0.94))
    judged = decision(objective="erase")
    evidence = gather(table({"original": original, "revised": revised}, patients=patients))
    return {(one.subset, one.label, one.measure): one for one in compared_with_original(judged, evidence)}


def test_each_class_and_its_false_negatives_are_guarded():
    rows = found(everywhere(binary(0.95, 0.94)))
    assert set(rows) == {
        ("remain_test", "all", "macro_sensitivity"),
        ("remain_test", "healthy", "sensitivity"),
        ("remain_test", "sick", "sensitivity"),
        ("remain_test", "sick", "false_negatives"),
    }
    assert not any(one.blocks for one in rows.values())
    assert all(one.seeds is None and one.difference == 0 for one in rows.values())


@pytest.mark.parametrize(
    ("remain", "blocking"),
    [
        (binary(0.95, 0.8), {("all", "macro_sensitivity"), ("sick", "sensitivity"), ("sick", "false_negatives")}),
        (binary(0.8, 0.94), {("all", "macro_sensitivity"), ("healthy", "sensitivity")}),
    ],
)
def test_a_class_that_got_worse_blocks(remain, blocking):
    rows = found(everywhere(remain))
    assert {key[1:] for key, one in rows.items() if one.blocks} == blocking


def test_the_mean_sensitivity_of_remain_is_judged_whatever_was_declared():
    kept = with_sensitivities(decision())
    assert kept.endpoints == decision().endpoints
    only = with_sensitivities(
        decision(endpoints=[{"subset": "forget_test"}, {"subset": "remain_test", "margin": 0.02}])
    )
    first, mean = [one for one in only.endpoints if one.part == "remain"]
    assert (first.measure, first.margin) == ("mean_probability", 0.02)
    assert (mean.measure, mean.label, mean.margin) == ("macro_sensitivity", "all", 0.05)


def flattened(by, endpoints=None):
    """Remain is classified as under the original, and surer or less sure by so much."""
    original = everywhere(binary(0.95, 0.94))
    made = table({"original": original, "revised": original}, patients=400, stable=1.0)
    remain = (made.frame["part"] == "remain").to_numpy()
    shares = made.probabilities("original")
    softer = np.where(shares > 0.5, shares - by, shares + by)
    logits = {**made.logits, "revised": np.where(remain[:, None], np.log(softer), made.logits["original"])}
    judged = with_sensitivities(decision(**({"endpoints": endpoints} if endpoints else {})))
    rows = compared_with_original(judged, gather(replace(made, logits=logits)))
    return {(one.label, one.measure, one.is_guard): one for one in rows}


def test_probabilities_that_flatten_on_remain_block():
    rows = flattened(0.3)
    assert {key for key, one in rows.items() if one.blocks} == {
        ("healthy", "mean_probability", False),
        ("sick", "mean_probability", False),
    }
    assert not any(one.blocks for one in flattened(0.01).values())
    # Surer ones do no harm.
    assert not any(one.blocks for one in flattened(-0.02).values())


def test_they_are_guarded_where_they_were_not_declared():
    endpoints = [{"subset": "forget_test"}, {"subset": "remain_test", "measure": "macro_sensitivity"}]
    rows = flattened(0.3, endpoints)
    assert rows["sick", "mean_probability", True].blocks
    assert not any(one.blocks for one in flattened(0.01, endpoints).values())


def test_of_many_classes_only_that_of_the_true_one_must_not_be_lower():
    names = ("a", "b", "c")
    before = everywhere({"a": [0.9, 0.1, 0.0], "b": [0.1, 0.9, 0.0], "c": [0.0, 0.1, 0.9]})
    after = everywhere({"a": [0.9, 0.0, 0.1], "b": [0.0, 0.9, 0.1], "c": [0.1, 0.0, 0.9]})
    made = table({"original": before, "revised": after}, class_names=names, patients=400)
    rows = compared_with_original(with_sensitivities(decision(names)), gather(made))
    found = [one for one in rows if one.measure == "mean_probability"]
    assert [(one.label, one.sides, one.blocks) for one in found] == [(name, "lower", False) for name in names]
