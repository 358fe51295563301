"""A hospital where three patients withdrew can go on revising; a network that learns them again is still caught."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import jsonschema
import numpy as np
import pandas as pd
import pytest
from decision_example import CLASSES, SUBSETS, decision, frame

from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.decision.schema import schema
from monai_unlearn.evaluation.decision.still_forgotten import with_earlier
from monai_unlearn.evaluation.prediction_table import Network, PredictionTable

EARLIER = "earlier:0.2.0_train"
REFERENCES = ("reference-1", "reference-2", "reference-3")
ENOUGH = {subset: dict.fromkeys(CLASSES, 150) for subset in SUBSETS}


def predictions(earlier, revised, *, retrained=0.55, apart=0.03, seed=0):
    """What networks predict: retrained ones give images of the earlier cohort's classes `retrained` on average.

    Args:
        earlier: Patients of the earlier cohort by class.
        revised: The probability that the revised network gives the true class there, by class or for all.
        retrained: The same of retrained networks.
        apart: Standard deviation of what single networks give on average.
        seed: Seeds patients and networks.
    """
    rng = np.random.default_rng(seed)
    images = frame({**ENOUGH, EARLIER: earlier}, eyes=2)
    own = images["label"].map({name: number for number, name in enumerate(CLASSES)}).to_numpy()
    is_earlier = (images["part"] == "earlier:0.2.0").to_numpy()
    patient = images["patient"].factorize()[0]
    difficulty = rng.normal(0, 0.1, patient.max() + 1)[patient]
    logits = {}
    for name in ("original", "revised", *REFERENCES):
        noise = difficulty + rng.normal(0, apart) + rng.normal(0, 0.02, len(images))
        given = revised if name == "revised" else retrained
        there = [given[one] if isinstance(given, dict) else given for one in images["label"]]
        base = np.where(is_earlier, there, 0.98 if name == "original" else 0.8)
        probability = np.clip(base + np.where(is_earlier & (base > 0.95), 0, noise), 0.02, 0.99)
        # Elsewhere networks agree but for a little, so that the earlier cohort alone decides.
        probability = np.where(is_earlier, probability, np.clip(base + difficulty / 5, 0.02, 0.99))
        pair = np.stack([np.where(own == column, probability, 1 - probability) for column in (0, 1)], axis=1)
        logits[name] = np.log(pair)
    listed = tuple(Network(name=name, role=name.split("-")[0], seed=i) for i, name in enumerate(logits))
    return PredictionTable(frame=images, class_names=CLASSES, networks=listed, logits=logits)


def judged(found, **config):
    return decide(with_earlier(decision(**config), found), found)


def of_earlier(outcome):
    return [one for one in outcome.comparisons if one.subset == EARLIER]


def test_three_patients_who_are_still_forgotten_do_not_stand_in_the_way():
    outcome = judged(predictions({"healthy": 2, "sick": 1}, 0.55))
    assert outcome.verdict == "equivalent", outcome.why
    (pool,) = [one for one in of_earlier(outcome) if not one.is_guard]
    assert (pool.label, pool.patients, pool.rule, pool.status) == ("all", 3, "point_within", "clear")
    said = (
        "Of earlier:0.2.0 train, 3 patients are too few to show what is still forgotten: only the difference itself "
        "counts."
    )
    assert said in outcome.line
    assert said in outcome.to_dict()["notes"]


@pytest.mark.parametrize("earlier", [{"healthy": 2, "sick": 1}, {"sick": 1}, {"healthy": 29, "sick": 12}])
def test_what_was_learned_again_is_caught(earlier):
    outcome = judged(predictions(earlier, 1.0))
    assert outcome.verdict in ("different", "inconclusive")
    assert any("earlier:0.2.0 train" in line for line in outcome.why)


def test_a_single_patient_is_judged_by_the_difference():
    outcome = judged(predictions({"sick": 1}, 0.55))
    assert outcome.verdict == "equivalent", outcome.why
    (pool,) = of_earlier(outcome)
    assert (pool.patients, pool.low, pool.high, pool.status) == (1, -1.0, 1.0, "clear")
    assert "1 patient is too few" in outcome.line
    written = json.loads(json.dumps(outcome.to_dict(), allow_nan=False))
    jsonschema.validate(written, schema())
    (row,) = [one for one in written["endpoints"] if one["subset"] == EARLIER]
    assert (row["se_patients"], row["interval"]) == (None, [-1.0, 1.0])


def test_one_class_does_not_hide_behind_another():
    """Learned again 55 → 100 in one class, wiped out in the other: together, nothing changed."""
    outcome = judged(predictions({"healthy": 5, "sick": 5}, {"healthy": 0.99, "sick": 0.11}))
    assert outcome.verdict != "equivalent"
    (pool,) = [one for one in of_earlier(outcome) if one.pooled]
    assert not pool.blocks
    assert {one.label for one in of_earlier(outcome) if one.blocks} == set(CLASSES)


def test_together_with_enough_patients_the_interval_counts():
    outcome = judged(predictions({"healthy": 28, "sick": 29}, 0.55, apart=0.01))
    (pool,) = [one for one in of_earlier(outcome) if one.pooled]
    assert (pool.rule, pool.min_patients, pool.patients) == ("inside", 30, 57)
    assert "Of earlier:0.2.0 train, classes with fewer than 30 patients are judged together." in outcome.line
    assert outcome.verdict == "equivalent", outcome.why


def test_a_class_with_enough_patients_is_judged_by_itself():
    outcome = judged(predictions({"healthy": 40, "sick": 3}, 0.55))
    rows = {(one.label, one.measure, one.rule, one.is_guard) for one in of_earlier(outcome)}
    assert ("healthy", "mean_probability", "inside", False) in rows
    assert ("sick", "mean_probability", "point_within", False) in rows
    assert ("sick", "sensitivity", "not_beyond", True) not in rows
    everybody = judged(predictions({"healthy": 40, "sick": 40}, 0.55))
    assert not [one for one in everybody.comparisons if one.pooled]
    assert everybody.remarks == ()


def test_a_class_that_is_only_in_the_other_split_is_not_missing_in_this_one():
    other = "earlier:0.2.0_test"
    found = predictions({"sick": 2}, 0.55)
    more = predictions({"healthy": 1}, 0.55, seed=1)
    chosen = (more.frame["part"] == "earlier:0.2.0").to_numpy()
    images = pd.concat([found.frame, more.frame[chosen].assign(split="test")], ignore_index=True)
    logits = {name: np.concatenate([one, more.logits[name][chosen]]) for name, one in found.logits.items()}
    outcome = judged(replace(found, frame=images, logits=logits))
    assert outcome.verdict == "equivalent", outcome.why
    assert {(one.subset, one.patients) for one in outcome.comparisons if one.pooled} == {(EARLIER, 2), (other, 1)}


def test_an_endpoint_that_was_declared_on_one_class_stays():
    declared = decision(endpoints=[*({"subset": name} for name in SUBSETS), {"subset": EARLIER, "class": "sick"}])
    found = predictions({"healthy": 3, "sick": 3}, 0.55)
    outcome = decide(with_earlier(declared, found), found)
    assert outcome.verdict == "inconclusive"
    assert any("3 patients are too few" in line for line in outcome.why)


def test_an_output_that_is_not_finite_is_no_evidence():
    found = predictions({"sick": 1}, 0.55)
    rows = (found.frame["part"] == "earlier:0.2.0").to_numpy()
    logits = {name: np.where(rows[:, None] & (name == "revised"), np.nan, one) for name, one in found.logits.items()}
    outcome = judged(replace(found, logits=logits))
    assert outcome.verdict == "inconclusive"


@pytest.mark.parametrize(("revised", "blocks"), [(0.3, False), (0.99, True)])
def test_erased_earlier_patients_must_not_be_recognised_again(revised, blocks):
    found = predictions({"healthy": 2, "sick": 1}, revised, retrained=0.3)
    outcome = judged(found, objective="erase")
    rows = [(one.rule, one.measure, one.blocks) for one in of_earlier(outcome) if not one.is_guard]
    assert rows == [("point_within", "sensitivity", blocks), ("point_within", "mean_probability", blocks)]
    assert "3 patients are too few" in outcome.line


def test_simulated_networks():
    """Of networks like retrained ones most pass; of those that learned three patients again, none does."""
    found = {name: Counter() for name in ("like retrained", "learned again", "halfway")}
    for seed in range(25):
        rng = np.random.default_rng(1000 + seed)
        for name, given in (("like retrained", 0.55 + rng.normal(0, 0.03)), ("learned again", 1.0), ("halfway", 0.78)):
            table = predictions({"healthy": 2, "sick": 1}, given, seed=seed)
            found[name][judged(table).verdict.value] += 1
    assert found["like retrained"]["equivalent"] >= 18
    assert found["learned again"]["equivalent"] == 0
    assert found["halfway"]["equivalent"] == 0


def test_a_declared_earlier_cohort_without_any_image_is_not_judged_and_blocks():
    found = predictions({"healthy": 40, "sick": 40}, 0.55)
    asked = [{"subset": one} for one in SUBSETS]
    assert decide(decision(endpoints=asked), found).verdict == "equivalent"
    absent = "earlier:0.1.0_train"
    outcome = decide(decision(endpoints=[*asked, {"subset": absent}]), found)
    assert outcome.verdict == "inconclusive"
    assert {one.status for one in outcome.comparisons if one.subset == absent} == {"not_judged"}


def test_a_measure_that_was_declared_is_the_one_that_is_judged():
    """As sure of the true class as retrained networks, on average, and yet classifying more images correctly."""
    declared = decision(
        endpoints=[
            *({"subset": name} for name in SUBSETS),
            {"subset": EARLIER, "measure": "sensitivity", "margin": 0.2},
        ]
    )
    found = predictions({"healthy": 5, "sick": 5}, 0.55, retrained=0.45, apart=0.0)
    rows = [one for one in of_earlier(decide(with_earlier(declared, found), found)) if one.pooled]
    assert [(one.measure, one.margin, one.patients) for one in rows] == [
        ("mean_probability", 0.1, 10),
        ("sensitivity", 0.2, 10),
    ]
    (sensitivity,) = [one for one in rows if one.measure == "sensitivity"]
    images = (found.frame["part"] == "earlier:0.2.0").to_numpy()
    own = found.frame["label"].map({name: i for i, name in enumerate(CLASSES)}).to_numpy()
    correct = found.logits["revised"].argmax(1) == own
    assert sensitivity.value == pytest.approx(correct[images].mean())
    assert sensitivity.blocks
    assert decide(with_earlier(declared, found), found).verdict != "equivalent"


def test_healthy_calls_of_small_classes_are_those_of_diseases():
    declared = decision(
        endpoints=[*({"subset": name} for name in SUBSETS), {"subset": EARLIER, "measure": "false_negatives"}]
    )
    found = predictions({"healthy": 5, "sick": 5}, 0.4, retrained=0.6, apart=0.0)
    (one,) = [row for row in of_earlier(decide(declared, found)) if row.pooled and row.measure == "false_negatives"]
    assert (one.label, one.patients, one.sides) == ("sick", 5, "upper")
    images = ((found.frame["part"] == "earlier:0.2.0") & (found.frame["label"] == "sick")).to_numpy()
    assert one.value == pytest.approx((found.logits["revised"][images].argmax(1) == 0).mean())
    assert one.blocks
