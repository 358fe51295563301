"""The failures that the rule is for, on predictions that reproduce their figures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from decision_example import SUBSETS, binary, decision, everywhere, table

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.prediction_table import PredictionTable

ODIR = ("N", "D", "G", "A")
REMAIN = {"N": [0.6, 0.2, 0.1, 0.1], "D": [0.3, 0.5, 0.1, 0.1], "G": [0.3, 0.1, 0.5, 0.1], "A": [0.3, 0.1, 0.1, 0.5]}


def odir(*correct):
    """Forget train images of each class classified correctly so often, else as N, and those of N as D."""
    forget = {}
    for number, (name, share) in enumerate(zip(ODIR, correct, strict=True)):
        row = [0.0] * 4
        row[number], row[1 if name == "N" else 0] = share, 1 - share
        forget[name] = row
    return everywhere(REMAIN, forget_train=forget)


RETRAINED = [odir(0.64, 0.20, 0.21, 0.03), odir(0.70, 0.27, 0.27, 0.07), odir(0.77, 0.33, 0.34, 0.11)]


@pytest.mark.parametrize("revised", [(0.46, 0.68, 0.87, 0.77), (0.54, 0.78, 0.92, 0.80), (0.50, 0.73, 0.90, 0.78)])
@pytest.mark.parametrize("patients", [100, 400])
def test_a_swap_of_classes_is_different(revised, patients):
    """Truncated field of ODIR, forget train: healthy eyes called diseased and diseases recognised as never before."""
    shares = {"original": odir(0.95, 0.95, 0.95, 0.95), "revised": odir(*revised)}
    shares |= {f"reference-{seed}": found for seed, found in enumerate(RETRAINED)}
    outcome = decide(decision(ODIR), table(shares, class_names=ODIR, patients=patients))
    assert outcome.verdict == "different"
    assert "forget train, class A: mean probability of A" in " ".join(outcome.why)


def test_a_swap_with_few_patients_is_never_equivalent():
    counts = {"N": 150, "D": 90, "G": 20, "A": 15}
    shares = {"original": odir(0.95, 0.95, 0.95, 0.95), "revised": odir(0.50, 0.73, 0.90, 0.78)}
    shares |= {f"reference-{seed}": found for seed, found in enumerate(RETRAINED)}
    outcome = decide(decision(ODIR), table(shares, class_names=ODIR, patients=dict.fromkeys(SUBSETS, counts)))
    assert outcome.verdict in {"different", "target_undetermined"}
    assert {(need.label, need.has) for need in outcome.needs if need.subset == "forget_train"} >= {("G", 20), ("A", 15)}


def test_sensitivity_lost_on_a_camera():
    """Two classes of X-ray, one camera: sensitivity 96 to 7 %, where retraining gives 100 %."""
    original = everywhere(binary(0.97, 0.96))
    retrained = everywhere(binary(0.95, 0.96), forget_train=binary(0.9, 1.0), forget_test=binary(0.9, 1.0))
    revised = everywhere(binary(0.95, 0.96), forget_train=binary(0.9, 0.07), forget_test=binary(0.9, 0.07))
    shares = {"original": original, "revised": revised, **{f"reference-{seed}": retrained for seed in range(3)}}
    outcome = decide(decision(), table(shares, patients=100))
    assert outcome.verdict == "different"
    missed = [one for one in outcome.comparisons if one.measure == "false_negatives" and one.subset == "forget_test"]
    assert missed[0].blocks
    assert missed[0].value == pytest.approx(0.93)


# The demo's references of three seeds, on forget train images: overall and one class.
DEMO = [binary(0.84, 0.29 + 0.19), binary(0.99, 0.05), binary(0.52, 0.999)]


def demo(order, revised=None):
    retrained = [everywhere(binary(0.95, 0.95), forget_train=row, forget_test=row) for row in DEMO]
    original = everywhere(binary(0.98, 0.98))
    shares = {"original": original, "revised": retrained[revised] if revised is not None else retrained[0]}
    return shares | {f"reference-{seed}": retrained[seed] for seed in order}


@pytest.mark.parametrize("one", range(3))
def test_seeds_that_do_not_agree_are_no_target(one):
    """Each retrained network against the others: neither rejected nor accepted."""
    others = [seed for seed in range(3) if seed != one]
    assert decide(decision(), table(demo(others, one), patients=100)).verdict == "target_undetermined"


def test_three_seeds_that_do_not_agree():
    shares = demo(range(3))
    shares["revised"] = everywhere(binary(0.95, 0.95), forget_train=binary(0.7, 0.55), forget_test=binary(0.7, 0.55))
    outcome = decide(decision(), table(shares, patients=100))
    assert outcome.verdict == "target_undetermined"
    assert (outcome.needs[0].what, outcome.exit_code) == ("seeds", 3)


@pytest.mark.parametrize("one", range(6))
def test_a_retrained_network_against_the_others(one):
    """Where seeds agree, each retrained network is equivalent to the others."""
    rng = np.random.default_rng(1)
    rows = [binary(0.8 + rng.normal(0, 0.008), 0.75 + rng.normal(0, 0.008)) for _ in range(6)]
    retrained = [everywhere(binary(0.94, 0.93), forget_train=row, forget_test=row) for row in rows]
    shares = {"original": everywhere(binary(0.99, 0.99)), "revised": retrained[one]}
    shares |= {f"reference-{seed}": found for seed, found in enumerate(retrained) if seed != one}
    assert decide(decision(), table(shares, patients=600)).verdict == "equivalent"


GOOD = everywhere(binary(0.93, 0.92), forget_train=binary(0.8, 0.8), forget_test=binary(0.8, 0.8))
ORIGINAL = everywhere(binary(0.95, 0.94), forget_train=binary(0.99, 0.99), forget_test=binary(0.95, 0.94))


def with_references(revised, retrained=GOOD, original=ORIGINAL, **options):
    shares = {"original": original, "revised": revised, **{f"reference-{seed}": retrained for seed in range(5)}}
    return table(shares, **{"patients": 400, **options})


def test_a_no_op_is_never_equivalent():
    assert decide(decision(), with_references(ORIGINAL)).verdict == "different"
    # Not even where the original lies within the margins, or margins are wide.
    close = everywhere(binary(0.93, 0.92), forget_train=binary(0.84, 0.84), forget_test=binary(0.81, 0.8))
    predictions = with_references(close, original=close)
    logits = {**predictions.logits, "revised": predictions.logits["original"]}
    assert decide(decision(), predictions).verdict == "equivalent"
    predictions = replace(predictions, logits=logits)
    for margin in (0.1, 0.6):
        endpoints = [{"subset": name, "margin": margin} for name in ("forget_train", "forget_test", "remain_test")]
        outcome = decide(decision(endpoints=endpoints), predictions)
        assert outcome.verdict == "inconclusive"
        assert "predicts the forget part as the original does" in outcome.why[0]


def test_without_references_nothing_is_accepted():
    shares = {"original": ORIGINAL, "revised": GOOD}
    assert decide(decision(), table(shares, patients=400)).verdict == "not_known"


@pytest.mark.parametrize("seed", range(5))
def test_random_weights_are_never_equivalent(seed):
    predictions = with_references(GOOD)
    noise = np.random.default_rng(seed).normal(0, 0.3, predictions.logits["revised"].shape)
    random = replace(predictions, logits={**predictions.logits, "revised": noise})
    assert decide(decision(), random).verdict == "different"


@pytest.mark.parametrize("remain", [0, 1])
def test_forgetting_683_of_684_images(remain):
    """Nothing about remain can be judged: that is named, and promotes nothing."""
    patients = {"forget_train": {"healthy": 273, "sick": 273}, "forget_test": {"healthy": 68, "sick": 69}}
    patients |= {"remain_train": {"healthy": 1 - remain}, "remain_test": {"healthy": remain}}
    outcome = decide(decision(), with_references(GOOD, patients=patients))
    assert outcome.verdict == "inconclusive"
    assert not outcome.promotes
    assert any("remain test: could not be judged" in why for why in outcome.why)
    assert ("remain_test", remain) in {(need.subset, need.has) for need in outcome.needs}


def test_an_equal_overall_accuracy_is_not_enough():
    swapped = everywhere(binary(0.93, 0.92), forget_train=binary(0.6, 1.0), forget_test=binary(0.6, 1.0))
    assert decide(decision(), with_references(swapped)).verdict == "different"


def test_everything_can_be_computed_again_from_the_file(tmp_path):
    predictions = with_references(GOOD, eyes=2)
    first = decide(decision(), predictions).to_dict()
    predictions.write(tmp_path / "predictions.parquet")
    again = decide(decision(), PredictionTable.read(tmp_path / "predictions.parquet")).to_dict()
    assert json.dumps(again) == json.dumps(first)


def test_both_eyes_do_not_make_two_patients():
    one = decide(decision(), with_references(GOOD, patients=50)).to_dict()["endpoints"][0]
    two = decide(decision(), with_references(GOOD, patients=50, eyes=2)).to_dict()["endpoints"][0]
    assert (one["G"], two["G"], one["images"], two["images"]) == (50, 50, 50, 100)


def test_other_classes():
    with pytest.raises(DataError, match="the predictions about healthy, sick"):
        decide(decision(ODIR), with_references(GOOD))
