from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import SUBSETS, decision, table

from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.decision.evidence import gather
from monai_unlearn.evaluation.decision.objections import objections

NETWORKS = ("original", "revised", "reference-1", "reference-2", "reference-3")
SAME = {"healthy": (0.8, 0.2), "sick": (0.2, 0.8)}
# The original knows the forget part better than the others do.
KNOWN = {"healthy": (0.95, 0.05), "sick": (0.05, 0.95)}


def predictions(**patients):
    counts = {subset: {"healthy": 300, "sick": 300, **patients} for subset in SUBSETS}
    shares = {name: dict.fromkeys(SUBSETS, SAME) for name in NETWORKS}
    shares["original"] = {**shares["original"], "forget_train": KNOWN, "forget_test": KNOWN}
    return table(shares, patients=counts)


def spoilt(network, subset):
    """The predictions with one output in a subset that is not finite."""
    found = predictions()
    logits = found.logits[network].copy()
    places = (found.frame["part"] + "_" + found.frame["split"]).to_numpy()
    logits[np.flatnonzero(places == subset)[0]] = np.nan
    return replace(found, logits={**found.logits, network: logits})


def test_nothing_is_objected_where_everything_can_be_judged():
    assert objections(gather(predictions())) == []
    assert decide(decision(), predictions()).verdict == "equivalent"


def test_a_class_that_no_image_shows_supports_no_verdict_that_promotes():
    found = predictions(sick=0)
    (sentence,) = objections(gather(found))
    assert "No part has an image of sick" in sentence
    outcome = decide(decision(), found)
    assert (outcome.verdict, outcome.promotes) == ("inconclusive", False)
    assert sentence in outcome.why
    assert not decide(decision(objective="erase", limit=0.99), found).promotes


@pytest.mark.parametrize(
    ("network", "subset", "is_objected"),
    [
        ("revised", "remain_train", True),
        ("revised", "forget_test", True),
        ("original", "forget_train", True),
        ("original", "remain_train", False),
    ],
)
def test_outputs_that_are_not_finite_are_named_wherever_they_are(network, subset, is_objected):
    found = spoilt(network, subset)
    assert any(f"finite output of {network}: 1" in one for one in objections(gather(found))) == is_objected
    assert decide(decision(), found).promotes != is_objected
