from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import SUBSETS, binary, decision, everywhere, table

from monai_unlearn.evaluation.decision import decide

ORIGINAL = everywhere(binary(0.95, 0.94), forget_train=binary(0.99, 0.99))
GOOD = everywhere(binary(0.93, 0.92), forget_train=binary(0.8, 0.8), forget_test=binary(0.8, 0.8))


def shares(revised=GOOD, references=3, **others):
    return {"original": ORIGINAL, "revised": revised, **{f"reference-{i}": GOOD for i in range(references)}, **others}


def judged(revised=GOOD, references=3, patients=400, **config):
    return decide(decision(**config), table(shares(revised, references), patients=patients))


def moved(**subsets):
    return everywhere(
        binary(0.93, 0.92), **{"forget_train": binary(0.8, 0.8), "forget_test": binary(0.8, 0.8), **subsets}
    )


def test_equivalent():
    outcome = judged()
    assert (outcome.verdict, outcome.basis) == ("equivalent", "reference")
    assert "All 8 intervals (90 %) lie inside their margins" in outcome.why[0]
    assert outcome.needs == ()


def test_without_a_reference_it_is_not_known():
    outcome = judged(references=0)
    assert (outcome.verdict, outcome.basis, outcome.exit_code) == ("not_known", "none", 3)
    assert outcome.needs[0].what == "reference"


@pytest.mark.parametrize("references", [1, 2])
def test_fewer_than_three_seeds_are_no_target(references):
    outcome = judged(references=references)
    assert outcome.verdict == "target_undetermined"
    assert f"Too few retrained networks ({references})" in outcome.why[0]
    assert (outcome.needs[0].what, outcome.needs[0].needs) == ("seeds", 3)
    # Not even a gross difference is judged by them.
    assert judged(moved(forget_train=binary(0.1, 0.1)), references=references).verdict == "target_undetermined"


@pytest.mark.parametrize("subset", ["forget_train", "forget_test", "remain_test"])
def test_different_anywhere(subset):
    outcome = judged(moved(**{subset: binary(0.4, 0.4)}))
    assert (outcome.verdict, outcome.exit_code) == ("different", 3)
    assert subset.replace("_", " ") in outcome.why[0]


def test_different_must_be_beyond_the_margin_not_merely_excluding_0():
    outcome = judged(moved(forget_train=binary(0.86, 0.8)), patients=1000)
    (row,) = [one for one in outcome.comparisons if (one.subset, one.label) == ("forget_train", "healthy")][:1]
    assert 0 < row.low < row.high < row.margin
    assert outcome.verdict == "equivalent"
    assert judged(moved(forget_train=binary(0.95, 0.8)), patients=400).verdict in {"different", "inconclusive"}


def test_few_patients_support_no_equivalent():
    few = {**{subset: {"healthy": 400, "sick": 400} for subset in SUBSETS}, "forget_test": {"healthy": 400, "sick": 12}}
    outcome = judged(patients=few)
    assert outcome.verdict == "inconclusive"
    (need,) = [one for one in outcome.needs if one.subset == "forget_test"]
    assert (need.label, need.has) == ("sick", 12)
    assert need.needs >= 30
    assert any("12 patients are too few" in why for why in outcome.why)


def test_a_class_that_its_part_has_but_not_its_test_images():
    few = {**{subset: {"healthy": 400, "sick": 400} for subset in SUBSETS}, "forget_test": {"healthy": 400}}
    outcome = judged(patients=few)
    assert outcome.verdict == "inconclusive"
    assert any("forget test, class sick: could not be judged" in why for why in outcome.why)


def test_a_class_forgotten_as_a_whole_is_not_missed_in_remain():
    whole = {"forget_train": {"sick": 400}, "forget_test": {"sick": 400}}
    whole |= {"remain_train": {"healthy": 400}, "remain_test": {"healthy": 400}}
    outcome = judged(patients=whole)
    assert outcome.verdict == "equivalent"
    assert not any(one.subset == "remain_test" and one.label == "sick" for one in outcome.comparisons)


@pytest.mark.parametrize("network", ["original", "revised", "reference-1"])
def test_outputs_that_are_not_finite_promote_nothing(network):
    predictions = table(shares(), patients=400)
    logits = dict(predictions.logits)
    logits[network] = logits[network].copy()
    logits[network][7] = np.nan
    outcome = decide(decision(), replace(predictions, logits=logits))
    assert outcome.verdict == "inconclusive"
    assert any("finite output" in why for why in outcome.why)


def test_false_negatives_must_be_shown_not_to_rise():
    """The mean probabilities agree within the margin; the diseased lie near the boundary, on its wrong side."""
    outcome = near_the_boundary(0.46)
    assert outcome.verdict == "inconclusive"
    missed = [one for one in outcome.comparisons if one.measure == "false_negatives" and one.subset == "remain_test"]
    assert missed[0].value == 1
    assert missed[0].target == 0
    assert any("share called healthy 100.0 %" in why for why in outcome.why)
    assert near_the_boundary(0.51).verdict == "equivalent"


def near_the_boundary(probability):
    predictions = table(shares(), patients=400)
    chosen = (predictions.frame["part"] == "remain") & (predictions.frame["label"] == "sick")
    logits = {name: values.copy() for name, values in predictions.logits.items()}
    for i, (name, values) in enumerate(logits.items()):
        sick = probability if name == "revised" else 0.505 + 0.001 * i
        values[chosen.to_numpy()] = np.log([1 - sick, sick])
    endpoints = [{"subset": subset} for subset in ("forget_train", "forget_test", "remain_test")]
    return decide(decision(endpoints=endpoints), replace(predictions, logits=logits))


def test_guards_hold_for_classes_that_no_endpoint_is_about():
    endpoints = [
        {"subset": "forget_train", "class": "healthy"},
        {"subset": "remain_test", "class": "healthy"},
    ]
    assert judged(endpoints=endpoints).verdict == "equivalent"
    outcome = judged(moved(forget_train=binary(0.8, 0.4)), endpoints=endpoints)
    assert outcome.verdict == "inconclusive"
    assert "A guard objects" in outcome.why[0]


def test_a_point_gap_of_twice_the_margin_blocks_however_wide_its_interval():
    endpoints = [{"subset": "forget_train", "class": "healthy"}, {"subset": "remain_test", "class": "healthy"}]
    few = {**{subset: {"healthy": 400, "sick": 400} for subset in SUBSETS}, "forget_train": {"healthy": 400, "sick": 4}}
    outcome = judged(moved(forget_train=binary(0.8, 0.25)), patients=few, endpoints=endpoints)
    (guard,) = [
        one
        for one in outcome.comparisons
        if (one.subset, one.label, one.measure) == ("forget_train", "sick", "sensitivity")
    ]
    assert not guard.is_wholly_beyond
    assert guard.status == "blocks"
    assert outcome.verdict == "inconclusive"


def test_a_target_that_seeds_leave_open():
    apart = {f"reference-{i}": moved(forget_train=binary(share, 0.8)) for i, share in enumerate((0.66, 0.8, 0.94))}
    outcome = decide(decision(), table({**shares(), **apart}, patients=400))
    assert outcome.verdict == "target_undetermined"
    assert "differ among themselves by a standard deviation of" in outcome.why[0]
    assert outcome.needs[0].what == "seeds"
    assert outcome.needs[0].needs > 3


@pytest.mark.parametrize("patients", [100, 400])
def test_a_shaken_original_inside_every_margin_is_not_equivalent(patients):
    """Retraining hardly changes the averages, so the original is inside all margins; noise makes it another network."""
    near = everywhere(binary(0.95, 0.94))
    retrained = moved(forget_train=binary(0.91, 0.9), forget_test=binary(0.92, 0.91))
    found = {"original": near, "revised": near, **{f"reference-{i}": retrained for i in range(3)}}
    predictions = table(found, patients=patients, stable=0.97)
    noise = np.random.default_rng(0).normal(0, 0.8, predictions.logits["original"].shape)
    logits = {**predictions.logits, "revised": predictions.logits["original"] + noise}
    outcome = decide(decision(), replace(predictions, logits=logits))
    if patients == 400:
        assert not any(one.blocks for one in outcome.comparisons)
    assert outcome.verdict == "inconclusive"
    assert "does not move toward retrained networks" in outcome.why[0]
    # One that was retrained is equivalent on the very same patients.
    there = {**predictions.logits, "revised": predictions.logits["reference-0"] + noise / 100}
    assert decide(decision(), replace(predictions, logits=there)).verdict == "equivalent"
