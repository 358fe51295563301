from __future__ import annotations

import pytest
import torch
from evidence_example import CLASSES, subset

from monai_unlearn.engine.evidence import Cost, RunFacts, assemble, why_not_accepted
from monai_unlearn.engine.reference import Reference
from monai_unlearn.evaluation import read_criteria

COST = Cost(search=120, updates=280, seconds={"preparation": 1.5, "updates": 2.25})
REFERENCE = Reference(network=torch.nn.Identity(), source="retrain", record={"parts": ["remain"]})


def facts(**changes):
    plain = {
        "objective": "match_reference",
        "class_names": CLASSES,
        "counts": {"forget": {"train": 100}},
        "has_batch_norm": False,
        "criteria": (),
        "cost": COST,
    }
    return RunFacts(**{**plain, **changes})


def models(**correct):
    """Predictions of each model: so many of 100 images are classified correctly in every subset."""
    return {
        name: {(part, split): subset(value) for part in ("forget", "remain") for split in ("train", "test")}
        for name, value in correct.items()
    }


def test_the_search_counts_as_a_cost_of_unlearning():
    cost = Cost(search=120, updates=280, seconds={}, retraining=[1000]).to_dict()
    found = {"search": 120, "updates": 280, "forward_passes": 0, "unlearning": 400, "retraining": 1000}
    assert cost["gradient_evaluations"] == found
    assert cost["share_of_retraining_gradients"] == 0.4


def test_a_forward_pass_counts_as_a_third_of_a_gradient():
    passes = {"search": 90, "evaluations": 30, "recalibration": 60}
    cost = Cost(search=10, updates=30, seconds={}, forward_passes=passes, retraining=[1000]).to_dict()
    assert (cost["gradient_evaluations"]["forward_passes"], cost["gradient_evaluations"]["unlearning"]) == (60, 100)
    assert cost["forward_passes"] == passes
    assert cost["share_of_retraining_gradients"] == 0.1


def test_the_run_and_the_run_with_its_references_stand_apart():
    cost = Cost(search=0, updates=100, seconds={"updates": 2.0}, retraining=[900, 1100], retraining_seconds=[9.0, 11.0])
    found = cost.to_dict()
    assert found["this_run"] == {"gradient_evaluations": 100, "seconds": 2.0}
    assert found["with_references"] == {"gradient_evaluations": 2100, "seconds": 22.0}
    assert (found["references"], found["share_of_retraining_gradients"], found["share_with_references"]) == (
        2,
        0.1,
        2.1,
    )


def test_what_one_reference_cost_is_unknown_where_another_has_no_record():
    found = Cost(search=0, updates=100, seconds={}, retraining=[900, None], retraining_seconds=[9.0, None]).to_dict()
    assert found["with_references"] == {"gradient_evaluations": None, "seconds": None}
    assert (found["share_of_retraining_gradients"], found["share_with_references"]) == (None, None)


def test_seconds_are_those_of_every_stage():
    seconds = COST.to_dict()["seconds"]
    assert seconds == {"preparation": 1.5, "updates": 2.25, "unlearning": 3.75, "retraining": None}


def test_without_a_known_cost_of_retraining_there_is_no_share_of_it():
    cost = COST.to_dict()
    assert cost["gradient_evaluations"]["retraining"] is None
    assert cost["share_of_retraining_gradients"] is None


def test_gaps_are_those_to_the_reference():
    evidence = assemble(facts(references=[REFERENCE]), models(original=95, revised=70, reference=60))
    assert evidence["gaps_to_reference"]["forget"]["test"]["value"] == pytest.approx(0.1)
    assert (evidence["reference"], evidence["reference_is_recorded"]) == ("retrain", True)
    assert evidence["references"] == [{"source": "retrain", "seed": None}]


def test_without_a_reference_there_are_no_gaps():
    evidence = assemble(facts(), models(original=95, revised=70))
    assert evidence["gaps_to_reference"] == {}
    assert (evidence["reference"], evidence["reference_is_recorded"]) == (None, False)


def test_a_reference_without_a_training_record_is_not_recorded():
    bare = Reference(network=torch.nn.Identity(), source="given.pt", record={})
    evidence = assemble(facts(references=[bare]), models(original=95, revised=70, reference=60))
    assert (evidence["reference"], evidence["reference_is_recorded"]) == ("given.pt", False)


@pytest.mark.parametrize(("limit", "verdict"), [(0.9, "failed"), (0.6, "passed")])
def test_criteria_judge_the_evidence(limit, verdict):
    criteria = read_criteria({"remain_test_accuracy": {"min": limit}})
    evidence = assemble(facts(criteria=criteria), models(original=95, revised=70))
    assert evidence["criteria"][0]["verdict"] == verdict
    assert evidence["accepted"] is (verdict == "passed")


def test_failed_criteria_are_the_reason_why_a_result_is_not_accepted():
    rows = [
        {"measure": name, "verdict": verdict} for name, verdict in (("a", "failed"), ("b", "passed"), ("c", "failed"))
    ]
    assert why_not_accepted({"criteria": rows}) == "a, c failed"


def test_without_a_failed_criterion_none_about_the_forget_part_could_be_judged():
    rows = [{"measure": "forget_test_accuracy", "verdict": "not_judged"}]
    assert "no criterion about the forget part could be judged" in why_not_accepted({"criteria": rows})
