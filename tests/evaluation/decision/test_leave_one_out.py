from __future__ import annotations

from decision_example import binary, decision, everywhere, table

from monai_unlearn.evaluation.decision import leave_one_out

ORIGINAL = everywhere(binary(0.99, 0.99))


def retrained(*forget):
    """Networks that classify so many of the forget images of each class correctly."""
    found = [
        everywhere(binary(0.94, 0.93), forget_train=row, forget_test=row) for row in (binary(x, x) for x in forget)
    ]
    return {"original": ORIGINAL, "revised": ORIGINAL, **{f"reference-{i}": one for i, one in enumerate(found)}}


AGREEING = (0.79, 0.8, 0.8, 0.81, 0.805, 0.795)


def verdicts(shares):
    return {name: one.verdict.value for name, one in leave_one_out(decision(), table(shares, patients=600)).items()}


def test_seeds_that_agree_judge_each_other_equivalent():
    assert verdicts(retrained(*AGREEING)) == {f"reference-{i}": "equivalent" for i in range(6)}


def test_seeds_that_do_not_agree_are_no_target_to_each_other():
    found = verdicts(retrained(0.5, 0.6, 0.7, 0.8, 0.9))
    assert set(found.values()) == {"target_undetermined"}


def test_one_that_is_no_retrained_network_is_found():
    shares = retrained(*AGREEING)
    shares["reference-3"] = ORIGINAL
    assert verdicts(shares)["reference-3"] == "different"


def test_two_of_three_are_too_few():
    assert set(verdicts(retrained(*AGREEING[:3])).values()) == {"target_undetermined"}
