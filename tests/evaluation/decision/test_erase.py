from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import binary, decision, everywhere, table

from monai_unlearn.evaluation.decision import decide

ORIGINAL = everywhere(binary(0.95, 0.94))
GONE = binary(0.1, 0.1)


def judged(revised, patients=400, **config):
    return decide(
        decision(objective="erase", **config), table({"original": ORIGINAL, "revised": revised}, patients=patients)
    )


def erased(remain=None, **forget):
    return everywhere(remain or binary(0.95, 0.94), **{"forget_train": GONE, "forget_test": GONE, **forget})


def test_erased_needs_no_reference():
    outcome = judged(erased())
    assert (outcome.verdict, outcome.basis, outcome.exit_code) == ("erased", "none", 0)
    assert any("shares labels with remain (healthy, sick)" in note for note in outcome.notes)


def test_a_no_op_is_not_erased():
    outcome = judged(ORIGINAL)
    assert (outcome.verdict, outcome.exit_code) == ("not_erased", 3)
    assert any(
        why.startswith("Above the limit: forget train: share classified correctly 94.5 %") for why in outcome.why
    )


def test_one_subset_that_is_recognised_is_enough():
    assert judged(erased(forget_test=binary(0.7, 0.7))).verdict == "not_erased"


def test_one_class_that_is_recognised_is_enough():
    outcome = judged(erased(forget_train=binary(0.8, 0.05)))
    assert outcome.verdict == "not_erased"
    assert "class healthy" in outcome.why[0]


def test_the_upper_limit_counts():
    assert judged(erased(forget_train=binary(0.48, 0.48)), patients=60).verdict == "inconclusive"


def test_a_declared_limit():
    revised = erased(forget_train=binary(0.2, 0.2))
    assert judged(revised).verdict == "erased"
    assert judged(revised, limit=0.15).verdict == "not_erased"


@pytest.mark.parametrize("remain", [binary(0.95, 0.6), binary(0.5, 0.5)])
def test_remain_that_is_not_kept(remain):
    outcome = judged(erased(remain))
    assert outcome.verdict == "not_erased"
    assert any(why.startswith("Not kept: remain test") for why in outcome.why)


def test_a_rise_of_false_negatives_blocks():
    assert judged(erased(binary(0.99, 0.9))).verdict == "inconclusive"


def test_few_patients_support_nothing():
    outcome = judged(erased(), patients=20)
    assert outcome.verdict == "inconclusive"
    assert {need.what for need in outcome.needs} == {"patients"}


def test_no_remain_images():
    patients = {"forget_train": {"sick": 400}, "forget_test": {"sick": 400}}
    outcome = judged(erased(), patients=patients)
    assert outcome.verdict == "inconclusive"
    assert any("remain test: could not be judged" in why for why in outcome.why)


def test_outputs_that_are_not_finite():
    predictions = table({"original": ORIGINAL, "revised": erased()}, patients=400)
    logits = {**predictions.logits, "revised": np.full_like(predictions.logits["revised"], np.nan)}
    outcome = decide(decision(objective="erase"), replace(predictions, logits=logits))
    assert outcome.verdict == "inconclusive"
    assert any(need.what == "output" for need in outcome.needs)


def test_declared_endpoints_of_remain():
    endpoints = [
        {"subset": "forget_train", "measure": "sensitivity", "class": "sick"},
        {"subset": "remain_test", "measure": "sensitivity", "class": "sick"},
        {"subset": "remain_test", "measure": "false_negatives"},
    ]
    outcome = judged(erased(), endpoints=endpoints)
    assert outcome.verdict == "erased"
    keys = [(one.subset, one.label, one.measure) for one in outcome.comparisons]
    assert len(keys) == len(set(keys))
    assert judged(erased(binary(0.95, 0.8)), endpoints=endpoints).verdict == "not_erased"


def test_a_small_class_that_is_recognised_is_not_hidden_among_the_others():
    """Two patients of one class, all recognised, beside hundreds of which none is."""
    few = {name: {"healthy": 300, "sick": 2} for name in ("forget_train", "forget_test")}
    few |= {name: {"healthy": 300, "sick": 300} for name in ("remain_train", "remain_test")}
    recognised = binary(0.02, 0.99)
    outcome = judged(erased(forget_train=recognised, forget_test=recognised), patients=few)
    assert not outcome.promotes


def test_an_endpoint_on_one_class_leaves_no_other_unguarded():
    endpoints = [{"subset": "forget_train", "class": "sick", "measure": "sensitivity"}]
    endpoints += [{"subset": "remain_test", "measure": "macro_sensitivity"}]
    outcome = judged(erased(forget_train=binary(0.99, 0.02)), endpoints=endpoints)
    assert not outcome.promotes


def test_a_no_op_is_not_erased_within_any_limit():
    outcome = judged(ORIGINAL, limit=0.99)
    assert not outcome.promotes
    assert "recognised as by the original" in outcome.why[0]
