from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import binary, everywhere, table

from monai_unlearn.evaluation.decision import gather
from monai_unlearn.evaluation.decision.toward import Way, aside, toward
from monai_unlearn.evaluation.decision.unchanged import moved, unchanged

FORGET = ("forget_train", "forget_test")
ORIGINAL = everywhere(binary(0.99, 0.99))
RETRAINED = everywhere(binary(0.8, 0.8))

NEAR = everywhere(binary(0.94, 0.94))
REFERENCES = {f"reference-{i}": everywhere(binary(0.9, 0.9)) for i in range(3)}


def shaken(patients, seed, by=0.8, references=REFERENCES):
    """The original with noise on every image, beside networks that retraining has moved."""
    shares = {"original": NEAR, "revised": NEAR, **references}
    found = table(shares, patients=patients, stable=0.97, seed=seed)
    noise = np.random.default_rng(seed).normal(0, by, found.logits["original"].shape)
    return gather(replace(found, logits={**found.logits, "revised": found.logits["original"] + noise}))


@pytest.mark.parametrize("patients", [5, 30, 200])
def test_a_shaken_original_goes_nowhere(patients):
    for seed in range(20):
        found = shaken(patients, seed)
        assert moved(found, "revised", FORGET) > 0.1 * moved(found, "reference-0", FORGET)
        assert "does not move toward retrained networks" in unchanged(found, FORGET)


def test_each_retrained_network_goes_most_of_the_way_toward_the_others():
    found = shaken(200, 0)
    way = toward(found, "reference-0", ("reference-1", "reference-2"), FORGET)
    assert way.share > 0.5
    assert 0 < way.low < way.share
    assert toward(found, "original", found.references, FORGET).share == 0
    assert unchanged(replace(found, revised="reference-1"), FORGET) is None


def cosine(one, other):
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(1) / np.where(lengths > 0, lengths, 1)


def test_the_share_of_the_way_is_what_goes_in_its_direction():
    found = shaken(40, 1)
    steps, ways = [], []
    for subset in FORGET:
        for means in found.subsets[subset].values():
            before = means.soft[found.rows("original")[0]]
            steps.append(means.soft[found.rows("revised")[0]] - before)
            ways.append(means.soft[found.rows(*found.references)].mean(0) - before)
    step, way = np.concatenate(steps), np.concatenate(ways)
    far = np.linalg.norm(way, axis=1)
    expected = (np.linalg.norm(step, axis=1) * cosine(step, way))[far > 0].sum() / far.sum()
    assert toward(found, "revised", found.references, FORGET).share == pytest.approx(expected)


def test_one_patient_on_whom_retraining_differs_shows_no_way():
    shares = {"original": ORIGINAL, "revised": RETRAINED, "reference-0": everywhere(binary(0.0, 0.0))}
    found = gather(table(shares, patients=1, stable=1.0))
    only = {"forget_train": {"sick": found.subsets["forget_train"]["sick"]}}
    assert toward(replace(found, subsets=only), "reference-0", ("reference-0",), FORGET).low == float("-inf")


def halves(kept, *, patients=200, seed=0):
    """Networks of smooth probabilities: the original, three retrained ones, and one that kept a share of patients."""
    rng = np.random.default_rng(seed)
    shares = {"original": NEAR, "revised": NEAR, **REFERENCES}
    found = table(shares, patients=patients)
    labels = (found.frame["label"] == "sick").to_numpy()
    ease = rng.normal(2, 1, len(labels))
    stays = rng.random(len(labels)) < kept
    logits = {}
    for name in shares:
        step = 0.0 if name == "original" else np.where((name == "revised") & stays, 0.0, -1.5)
        value = ease + step + rng.normal(0, 0.2, len(labels))
        logits[name] = np.stack([np.where(labels, 0, value), np.where(labels, value, 0)], 1)
    return gather(replace(found, logits=logits))


@pytest.mark.parametrize(("kept", "seed"), [(0.5, 0), (0.5, 1), (0.7, 2)])
def test_patients_who_are_left_behind_are_counted(kept, seed):
    found = halves(kept, seed=seed)
    way = toward(found, "revised", found.references, FORGET)
    assert way.low > 0
    assert way.reached / way.moved == pytest.approx(1 - kept, abs=0.08)
    said = aside(found, found.references, FORGET, "retrained networks")
    assert said.startswith(f"The revised network leaves patients of the forget part behind: of {way.moved} whom")
    assert said in (unchanged(found, FORGET), said)


@pytest.mark.parametrize("seed", range(5))
def test_one_that_takes_all_along_is_not_objected_to(seed):
    found = halves(0.0, seed=seed)
    assert aside(found, found.references, FORGET, "retrained networks") is None
    assert aside(halves(0.0, seed=seed, patients=5), found.references, FORGET, "retrained networks") is None


def test_few_patients_show_little_of_how_many_are_reached():
    assert Way(share=1, low=1, moved=3, reached=0).at_most == pytest.approx(1 - 0.05 ** (1 / 3))
    assert Way(share=1, low=1, moved=3, reached=3).at_most == 1
    assert Way(share=1, low=1).at_most == 1


def test_a_single_other_does_not_show_how_many_are_reached():
    found = halves(0.5)
    assert aside(found, ["reference-0"], FORGET, "x") is None


@pytest.mark.parametrize("places", [["forget_train", "forget_test"], ["forget_train"]])
def test_a_class_that_stays_behind_is_named(places):
    found = halves(0.0)
    classes = {subset: dict(found.subsets[subset]) for subset in FORGET}
    revised, original = found.rows("revised", "original")
    for subset in places:
        soft = classes[subset]["sick"].soft.copy()
        soft[revised] = soft[original] + np.random.default_rng(0).normal(0, 0.002, (soft.shape[1], 1)) * [1, -1]
        classes[subset]["sick"] = replace(classes[subset]["sick"], soft=soft)
    said = aside(replace(found, subsets=classes), found.references, FORGET, "retrained networks")
    if len(places) == 1:
        assert said.startswith("forget train, class sick: the revised network does not move toward retrained networks")
    assert said is not None
