from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from evidence_example import CLASSES, evidence, predictions, subset

from monai_unlearn.engine.evidence import Cost, RunFacts, why_not_accepted
from monai_unlearn.engine.evidence import assemble as assembled
from monai_unlearn.engine.parents import Parent
from monai_unlearn.engine.reference import Reference
from monai_unlearn.evaluation.decision import Decision, promotes
from monai_unlearn.evaluation.decision.target import PredictedTarget
from monai_unlearn.evaluation.predictors import Proxy

COST = Cost(search=120, updates=280, seconds={"preparation": 1.5, "updates": 2.25})
REFERENCE = Reference(network=torch.nn.Identity(), source="retrain", record={"parts": ["remain"]})


def facts(**changes):
    plain = {
        "decision": Decision.from_config({"healthy_classes": ["a"]}, class_names=CLASSES),
        "counts": {"forget": {"train": 100}},
        "cost": COST,
        "method": {"name": "psg", "chosen_by": "user", "ground": "the user chose it"},
    }
    return RunFacts(**{**plain, **changes})


def assemble(facts, models):
    return assembled(facts, models, predictions(models))


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


def test_a_composition_costs_what_it_is_composed_of():
    parents = [
        Parent(version="1.1.0", weights_digest="sha256:1", state={}, gradient_evaluations=70, seconds=1.5),
        Parent(version="1.2.0", weights_digest="sha256:2", state={}, gradient_evaluations=None, seconds=None),
    ]
    cost = Cost(
        search=0,
        updates=0,
        seconds={"preparation": 0.5},
        forward_passes={"search": 90},
        retraining=[1000],
        parents=parents,
    )
    found = cost.to_dict()
    assert found["parents"] == {"gradient_evaluations": 70, "seconds": 1.5}
    assert found["this_run"] == {"gradient_evaluations": 100, "seconds": 2.0}
    assert (found["gradient_evaluations"]["unlearning"], found["share_of_retraining_gradients"]) == (100, 0.1)
    assert "parents" not in COST.to_dict()


def test_seconds_are_those_of_every_stage():
    seconds = COST.to_dict()["seconds"]
    assert seconds == {"preparation": 1.5, "updates": 2.25, "unlearning": 3.75, "retraining": None}


def test_without_a_known_cost_of_retraining_there_is_no_share_of_it():
    cost = COST.to_dict()
    assert cost["gradient_evaluations"]["retraining"] is None
    assert cost["share_of_retraining_gradients"] is None


def test_the_references_are_named():
    evidence = assemble(facts(references=[REFERENCE]), models(original=95, revised=70, reference=60))
    assert (evidence["reference"], evidence["reference_is_recorded"]) == ("retrain", True)
    assert evidence["references"] == [{"source": "retrain", "seed": None}]


def test_without_a_reference_none_is_named():
    evidence = assemble(facts(), models(original=95, revised=70))
    assert (evidence["reference"], evidence["reference_is_recorded"]) == (None, False)


def test_a_reference_without_a_training_record_is_not_recorded():
    bare = Reference(network=torch.nn.Identity(), source="given.pt", record={})
    evidence = assemble(facts(references=[bare]), models(original=95, revised=70, reference=60))
    assert (evidence["reference"], evidence["reference_is_recorded"]) == ("given.pt", False)


def test_the_verdict_stands_at_the_top():
    found = assemble(facts(), models(original=95, revised=70))
    assert list(found)[:6] == ["schema_version", "verdict", "why", "needs", "basis", "decision"]
    assert (found["verdict"], found["basis"]) == ("not_known", "none")
    assert found["decision"]["declared"]["healthy_classes"] == ["a"]
    assert not {"accepted", "criteria", "recommendation"} & set(found)


def test_confusion_is_that_of_every_network_but_the_controls():
    found = assemble(facts(), models(original=95, revised=70, revised_recalibrated=70, reference=60))
    assert set(found["confusion"]["networks"]) == {"original", "revised", "reference"}
    assert found["confusion"]["gaps"]["reference"]["remain"]["test"]["n"] == [50, 50]
    assert found["slices"] == {}


FULL, RETRAINED = {"forget": 95, "remain": 95}, {"forget": 60, "remain": 95}
SEEDS = {
    name: {**RETRAINED, "forget": forget}
    for name, forget in (("reference", 58), ("reference_2", 59), ("reference_3", 61))
}
LENIENT = {
    "min_patients": 2,
    "endpoints": [
        {"subset": "forget_train", "margin": 0.6},
        {"subset": "remain_test", "margin": 0.6},
        {"subset": "remain_test", "measure": "false_negatives", "margin": 0.6},
    ],
}


def test_what_predicts_as_retrained_networks_do_is_equivalent():
    assert evidence(original=FULL, revised=RETRAINED, **SEEDS, decision=LENIENT)["verdict"] == "equivalent"


@pytest.mark.parametrize("references", [{}, SEEDS], ids=["no reference", "references"])
@pytest.mark.parametrize("decision", [{}, LENIENT], ids=["default", "lenient"])
def test_a_no_op_is_never_promoted(references, decision):
    found = evidence(original=FULL, revised=FULL, **references, decision=decision)
    assert not promotes(found["verdict"])


def test_a_no_op_that_hardly_differs_is_not_promoted_either():
    """By margins as wide as these every difference is none."""
    found = evidence(original=FULL, revised={**FULL, "forget": 94}, **SEEDS, decision=LENIENT)
    assert found["verdict"] == "inconclusive"
    assert found["why"][0].startswith("The revised network predicts the forget part as the original does")


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_are_no_target(seeds):
    some = dict(list(SEEDS.items())[:seeds])
    found = evidence(original=FULL, revised=RETRAINED, **some, decision=LENIENT)
    assert (found["verdict"], found["basis"]) == ("target_undetermined", "reference")


def test_references_without_a_record_are_no_target():
    found = evidence(original=FULL, revised=RETRAINED, **SEEDS, decision=LENIENT, recorded=False)
    assert (found["verdict"], found["reference_is_recorded"]) == ("not_known", False)


def leaning(a, b):
    """100 images, of each class 50: so many of them classified correctly."""
    labels = torch.arange(100) % 2
    rank = torch.arange(100) // 2
    correct = rank < torch.tensor([a, b])[labels]
    found = subset(100)
    return replace(found, logits=torch.eye(2)[torch.where(correct, labels, 1 - labels)] * 6)


def test_a_swap_of_classes_at_equal_accuracy_is_not_promoted():
    """One overall accuracy is that of every retrained network; class by class the two are opposites."""
    remain = {("remain", split): leaning(48, 48) for split in ("train", "test")}

    def network(a, b):
        return {**{("forget", split): leaning(a, b) for split in ("train", "test")}, **remain}

    found = {"original": network(49, 49), "revised": network(20, 40)}
    found |= {name: network(a, 60 - a) for name, a in (("reference", 39), ("reference_2", 40), ("reference_3", 41))}
    decision = Decision.from_config({"healthy_classes": ["a"]}, class_names=CLASSES)
    evidence = assemble(facts(decision=decision), found)
    accuracy = {name: table["forget"]["test"]["accuracy"] for name, table in evidence["models"].items()}
    assert accuracy["revised"] == accuracy["reference"] == accuracy["reference_2"] == accuracy["reference_3"]
    assert evidence["verdict"] == "different"
    assert any("class a" in reason for reason in evidence["why"])
    # A retrained network of its own is not different from the others.
    assert assemble(facts(), {**found, "revised": network(39, 20)})["verdict"] != "different"


def test_forgetting_nearly_everything_is_not_promoted():
    """One image of 684 is left to keep: nothing about remain can be judged."""
    sizes = {"forget": 683, "remain": 1}

    def network(share):
        return {
            (part, split): subset(round(share * n) if part == "forget" else n, n)
            for part, n in sizes.items()
            for split in ("train", "test")
        }

    found = {"original": network(0.95), "revised": network(0.5)}
    references = {f"reference{more}": network(0.5 + 0.001 * i) for i, more in enumerate(("", "_2", "_3"))}
    for models in (found, {**found, **references}):
        evidence = assemble(facts(), models)
        assert not promotes(evidence["verdict"])
        if len(models) > 2:
            assert {(need["what"], need["subset"], need["needs"]) for need in evidence["needs"]} >= {
                ("patients", "remain_test", 30)
            }


def test_the_message_of_a_run_is_the_line_of_the_verdict_and_what_would_decide():
    lines = why_not_accepted(evidence(original=FULL, revised=RETRAINED)).splitlines()
    assert lines[0] == "not_known: there is nothing to compare with."
    assert lines[1].startswith("Needs: Networks retrained without the cohort, from 3 seeds on: --reference retrain")


def test_what_stands_in_for_references_stands_apart_in_the_cost():
    proxies = [
        Proxy(
            name=f"half_width-{i}",
            predictor="half_width",
            network=torch.nn.Identity(),
            gradient_evaluations=300.4,
            seconds=1,
        )
        for i in range(3)
    ]
    found = Cost(search=0, updates=100, seconds={"updates": 2.0}, retraining=[1000], proxies=proxies).to_dict()
    assert found["this_run"]["gradient_evaluations"] == 100
    assert (found["proxies"], found["with_predictor"]) == (3, {"gradient_evaluations": 1001, "seconds": 5.0})
    assert found["share_with_predictor"] == pytest.approx(1.001)
    assert found["with_references"]["gradient_evaluations"] == 1100
    alone = Cost(search=0, updates=100, seconds={"updates": 2.0}).to_dict()
    assert (alone["proxies"], alone["with_predictor"]) == (0, alone["this_run"])


def test_nothing_is_measured_of_a_predictor_without_references():
    found = models(original=90, revised=60)
    target = PredictedTarget(name="never_trained", kind="never_trained", proxies=0)
    assert assemble(facts(targets=[target]), found)["predicted"] == {}
    assert assemble(facts(), found)["predicted"] == {}
    beside = assemble(facts(targets=[target], references=[REFERENCE]), models(original=90, revised=60, reference=50))
    (rows,) = beside["predicted"].values()
    # It needs no proxy: what the original predicts of other images is predicted of these.
    assert {(one["predicted"] > one["retrained"], one["error"] > 0) for one in rows} == {(True, True)}
    rows = PredictedTarget(name="half_width", kind="rows", proxies=3)
    assert assemble(facts(targets=[rows]), models(original=90, revised=60, reference=50))["predicted"] == {
        "half_width": []
    }
    assert beside["basis"] == "reference"
