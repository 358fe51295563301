from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from decision_example import CLASSES, binary, everywhere, table

from monai_unlearn.evaluation.decision import gather
from monai_unlearn.evaluation.decision.evidence import of_predictor
from monai_unlearn.evaluation.prediction_table import Network, PredictionTable

NETWORKS = (
    Network(name="original", role="original"),
    Network(name="revised", role="revised"),
    Network(name="reference-0", role="reference"),
    Network(name="reference-1", role="reference"),
)


def small(labels, patients, *, part="forget", networks=NETWORKS):
    images = pd.DataFrame(
        {
            "image_id": [f"i{i}" for i in range(len(labels))],
            "patient": patients,
            "part": part,
            "split": "test",
            "label": labels,
        }
    )
    rng = np.random.default_rng(0)
    logits = {one.name: rng.normal(size=(len(labels), 2)) for one in networks}
    return PredictionTable(frame=images, class_names=CLASSES, networks=networks, logits=logits)


def test_both_eyes_count_once():
    predictions = small(["sick"] * 4, ["p", "q", "p", "q"])
    means = gather(predictions).of("forget_test", "sick")
    soft = predictions.probabilities("revised")
    assert len(means) == 2
    assert means.images == 4
    assert means.soft[1, 0] == pytest.approx((soft[0] + soft[2]) / 2)
    assert means.hard[1, 1] == pytest.approx(np.eye(2)[soft[[1, 3]].argmax(1)].mean(0))


def test_a_patient_in_two_classes_has_one_number():
    evidence = gather(small(["sick", "healthy", "sick"], ["p", "p", "q"]))
    assert evidence.of("forget_test", "sick").patients.tolist() == [0, 1]
    assert evidence.of("forget_test", "healthy").patients.tolist() == [0]


def test_images_without_a_patient_count_each_and_are_named():
    evidence = gather(small(["sick"] * 4, ["p", None, None, "p"]))
    assert len(evidence.of("forget_test", "sick")) == 3
    assert evidence.notes == ("2 images have no patient; each counts as a patient of its own.",)


def test_images_without_a_finite_output_are_counted():
    predictions = small(["sick"] * 3, ["p", "q", "r"])
    logits = dict(predictions.logits)
    logits["revised"] = logits["revised"].copy()
    logits["revised"][1, 0] = np.inf
    means = gather(replace(predictions, logits=logits)).of("forget_test", "sick")
    assert means.not_finite == {"revised": 1}
    assert np.isnan(means.soft[1]).any()


def test_a_reference_without_a_record_does_not_count():
    networks = (*NETWORKS[:3], replace(NETWORKS[3], recorded=False))
    evidence = gather(small(["sick"] * 3, ["p", "q", "r"], networks=networks))
    assert evidence.references == ("reference-0",)
    assert "reference-1 does not count: no training record" in evidence.notes[0]


@pytest.mark.parametrize("twin", ["original", "revised", "reference-0"])
def test_the_same_network_twice_does_not_count(twin):
    predictions = small(["sick"] * 3, ["p", "q", "r"])
    same = replace(predictions, logits={**predictions.logits, "reference-1": predictions.logits[twin]})
    evidence = gather(same)
    assert evidence.references == ("reference-0",)
    assert f"its outputs are those of {twin}" in evidence.notes[0]


def test_expected_classes_are_those_of_the_part():
    shares = everywhere(binary(0.9, 0.9))
    patients = {"forget_train": {"sick": 5}, "forget_test": {}, "remain_train": {"healthy": 5}, "remain_test": {}}
    evidence = gather(table({"original": shares, "revised": shares}, patients=patients))
    assert evidence.expected("forget_test") == ("sick",)
    assert evidence.expected("remain_test") == ("healthy",)
    assert evidence.of("forget_test", "sick") is None


def test_an_empty_table():
    evidence = gather(small([], []))
    assert evidence.subsets == {}
    assert evidence.references == ("reference-0", "reference-1")


def test_a_second_reference_under_the_same_seed_does_not_count():
    names = ("original", "revised", "reference-1", "reference-2", "reference-3")
    found = table({name: everywhere(binary(0.8, 0.8)) for name in names})
    twice = tuple(replace(one, seed=7) if one.role == "reference" else one for one in found.networks)
    evidence = gather(replace(found, networks=twice))
    assert evidence.references == ("reference-1",)
    assert sum("under the seed of reference-1" in note for note in evidence.notes) == 2


def proxies(*described):
    """Proxies of the predictors and seeds that are named."""
    return (
        *NETWORKS[:2],
        *(
            Network(name=f"{name}-{i}", role="proxy", seed=seed, predictor=name)
            for i, (name, seed) in enumerate(described)
        ),
    )


def test_proxies_of_two_predictors_may_share_a_seed():
    named = proxies(("half_width", 1), ("last_blocks", 1), ("half_width", 2), ("half_width", 1))
    predictions = small(["sick"] * 3, ["p", "q", "r"], networks=named)
    evidence = gather(predictions)
    assert evidence.proxies == ("half_width-0", "last_blocks-1", "half_width-2")
    assert "half_width-3 does not count: it was trained under the seed of half_width-0." in evidence.notes
    assert of_predictor(evidence, predictions, "half_width").proxies == ("half_width-0", "half_width-2")
    assert of_predictor(evidence, predictions, "last_blocks").proxies == ("last_blocks-1",)


def test_a_proxy_is_no_reference():
    evidence = gather(small(["sick"] * 3, ["p", "q", "r"], networks=proxies(("half_width", 1))))
    assert evidence.references == ()


def test_a_proxy_that_predicts_as_the_original_does_not_count():
    predictions = small(["sick"] * 3, ["p", "q", "r"], networks=proxies(("shifted_odds", None)))
    same = replace(predictions, logits={**predictions.logits, "shifted_odds-0": predictions.logits["original"]})
    assert gather(same).proxies == ()
