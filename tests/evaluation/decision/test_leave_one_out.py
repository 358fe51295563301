from __future__ import annotations

import numpy as np
from decision_example import binary, decision, everywhere, table

from monai_unlearn.evaluation.decision import leave_one_out

ORIGINAL = everywhere(binary(0.99, 0.99))


def seeds(spread, count=6):
    rng = np.random.default_rng(1)
    rows = [binary(*(0.8 + rng.normal(0, spread, 2))) for _ in range(count)]
    retrained = [everywhere(binary(0.94, 0.93), forget_train=row, forget_test=row) for row in rows]
    return {"original": ORIGINAL, "revised": ORIGINAL, **{f"reference-{i}": one for i, one in enumerate(retrained)}}


def verdicts(shares):
    return {name: one.verdict.value for name, one in leave_one_out(decision(), table(shares, patients=600)).items()}


def test_seeds_that_agree_judge_each_other_equivalent():
    assert verdicts(seeds(0.008)) == {f"reference-{i}": "equivalent" for i in range(6)}


def test_seeds_that_do_not_agree_are_no_target_to_each_other():
    found = list(verdicts(seeds(0.12)).values())
    assert "equivalent" not in found
    assert found.count("target_undetermined") >= 5


def test_one_that_is_no_retrained_network_is_found():
    shares = seeds(0.008)
    shares["reference-3"] = ORIGINAL
    assert verdicts(shares)["reference-3"] == "different"


def test_two_of_three_are_too_few():
    assert set(verdicts(seeds(0.008, count=3)).values()) == {"target_undetermined"}
