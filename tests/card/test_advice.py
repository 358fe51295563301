from __future__ import annotations

import copy

import pytest
from card_example import build, rich
from decision_example import binary, decision, everywhere, table

from monai_unlearn.card.advice import MEASURES, advice
from monai_unlearn.card.wording import ACTIONS
from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.decision.comparison import MEMBERSHIP
from monai_unlearn.evaluation.decision.endpoint import MEASURES as DECLARED
from monai_unlearn.evaluation.decision.verdict import Verdict

FULL = {"forget": 90, "remain": 90}
RETRAINED = {name: {"forget": 50, "remain": 90} for name in ("reference", "reference_2", "reference_3")}


BUILT = build(original=FULL, revised=FULL, **RETRAINED)


def diff(verdict, **changes):
    found = copy.deepcopy(BUILT)
    return {**found, "verdict": verdict, **changes}


def guarded(status):
    """A difference whose first endpoint is a guard of this status."""
    found = diff("inconclusive")
    for row in found["decision"]["endpoints"]:
        row["status"] = "clear" if row["guard"] else "undecided"
    found["decision"]["endpoints"][0].update(
        guard=True, status=status, d=-0.2, margin=0.05, revised=0.7, target=0.9, subset="remain_test", **{"class": "a"}
    )
    return found


@pytest.mark.parametrize(
    ("verdict", "action"),
    [
        ("equivalent", "deploy_revised"),
        ("erased", "deploy_revised"),
        ("different", "deploy_retrained"),
        ("not_erased", "do_not_deploy"),
        ("target_undetermined", "not_known"),
        ("not_known", "not_known"),
    ],
)
def test_the_verdict_decides(verdict, action):
    assert advice(diff(verdict))["action"] == action


def test_every_verdict_has_an_action_and_a_sentence():
    for verdict in Verdict:
        if verdict is not Verdict.QUALIFIED:
            found = advice(diff(verdict.value))
            assert found["action"] in ACTIONS
            assert found["sentence"].endswith(".")


def test_a_guard_that_objects_forbids_and_says_which():
    found = advice(guarded("blocks"))
    assert found["action"] == "do_not_deploy"
    assert "on other images labelled a, its probability of" in found["sentence"]
    assert "is 70.0 % and that of" in found["sentence"]
    # One that lacks patients is undecided, as endpoints are.
    for status in ("clear", "undecided", "too_few_patients", "not_judged"):
        assert advice(guarded(status))["action"] == "not_known"


def test_every_measure_has_words():
    assert set(MEASURES) == {*DECLARED, MEMBERSHIP}


def test_retrained_networks_that_lost_something_are_not_advised():
    worse = {name: {"forget": 50, "remain": 70} for name in RETRAINED}
    found = {**build(original=FULL, revised=FULL, **worse), "verdict": "different"}
    assert advice(found)["action"] == "do_not_deploy"
    alone = {**build(original=FULL, revised=FULL), "verdict": "different"}
    assert advice(alone)["action"] == "do_not_deploy"


def test_patients_in_both_parts_disqualify_where_consent_was_withdrawn():
    found = diff("equivalent")
    found["modification"]["cohort"]["patients_in_both"] = 3
    assert advice(found)["action"] == "deploy_revised"
    found["modification"]["reason"] = "consent_withdrawal"
    assert advice(found) == {
        "action": "do_not_deploy",
        "sentence": "3 patients who may have withdrawn consent still have images among those that the model learns "
        "from: forget whole patients (scope: patient).",
    }
    found["modification"]["cohort"]["patients_in_both"] = 0
    assert advice(found)["action"] == "deploy_revised"


def test_what_stands_in_for_retrained_networks_is_named():
    protocol = {"document": {"rehearsal": {"line": "3 of 3 rehearsal cohorts equivalent"}}}
    found = diff("qualified", basis="protocol")
    found["decision"]["protocol"] = protocol
    assert "(3 of 3 rehearsal cohorts equivalent)" in advice(found)["sentence"]
    assert "predictor" in advice(diff("qualified", basis="predicted"))["sentence"]


def test_the_number_of_comparisons_is_that_of_the_endpoints():
    shares = {name: everywhere(binary(0.8, 0.8)) for name in ("original", "revised")}
    metrics = decide(decision(), table(shares, patients=60)).to_metrics()
    declared = sum(not row["guard"] for row in metrics["decision"]["endpoints"])
    assert (
        f"all {declared} comparisons" in advice({**diff("equivalent"), **metrics, "verdict": "equivalent"})["sentence"]
    )


def test_the_difference_has_the_advice():
    found = rich()
    assert found["advice"] == advice(found)
