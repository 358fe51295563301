from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import SUBSETS, binary, decision, everywhere, table
from protocol_example import applied

from monai_unlearn.evaluation.decision import decide, gather
from monai_unlearn.evaluation.decision.harmed_groups import harmed_groups

ORIGINAL = everywhere(binary(0.95, 0.94))
FORGOT = {"forget_train": binary(0.75, 0.72), "forget_test": binary(0.76, 0.75)}
REVISED = everywhere(binary(0.95, 0.94), **FORGOT)
COUNTS = {subset: {"healthy": 600, "sick": 600} for subset in SUBSETS}


def predictions(harm, *, share=0.03, stable=0.97, shares=None, label="sick", groups=1):
    """A share of patients is of the group; of its remain images with a label, `harm` are classified wrongly."""
    made = table(shares or {"original": ORIGINAL, "revised": REVISED}, patients=COUNTS, stable=stable)
    rng = np.random.default_rng(0)
    images = made.frame.assign(**{"slice:sex": np.where(rng.random(len(made.frame)) < share, "F", "M")})
    for number in range(groups - 1):
        images[f"slice:other_{number}"] = rng.integers(0, 5, len(images)).astype(str)
    group = (images["slice:sex"] == "F") & (images["part"] == "remain")
    chosen = (group & (images["label"] == label)).to_numpy() & (rng.random(len(images)) < harm)
    logits = {**made.logits, "revised": made.logits["revised"].copy()}
    logits["revised"][chosen] = np.log([0.97, 0.03])
    return replace(made, frame=images, logits=logits)


def test_a_group_that_is_harmed_is_named_though_remain_is_kept():
    made = predictions(0.8)
    outcome = decide(decision(), made, applied(made, share=0.5, patients=1200), target=None)
    assert not any(one.blocks for one in outcome.comparisons)
    (said,) = [one for one in harmed_groups(decision(), gather(made)) if ", class " in one]
    assert said.startswith("remain test, sex F, class sick: the share classified correctly differs by −")
    assert said in outcome.why
    assert harmed_groups(decision(), gather(predictions(0.0))) == []


@pytest.mark.parametrize("groups", [1, 8])
def test_groups_that_differ_by_chance_alone_are_not(groups):
    for stable in (0.7, 0.9):
        assert harmed_groups(decision(), gather(predictions(0.0, stable=stable, groups=groups))) == []


def test_a_few_patients_show_nothing():
    assert harmed_groups(decision(), gather(predictions(1.0, share=0.004))) == []


def test_beside_retrained_networks_these_are_what_a_group_is_held_against():
    references = {f"reference-{i}": REVISED for i in range(3)}
    shares = {"original": ORIGINAL, "revised": REVISED, **references}
    made = predictions(0.8, shares=shares)
    outcome = decide(decision(), made)
    assert outcome.verdict == "inconclusive"
    assert any("from that of retrained networks" in why for why in outcome.why)
    # What retraining loses as well is no harm of the revision.
    harmed = made.logits["revised"]
    same = replace(made, logits={**made.logits, **{name: harmed + 1e-4 * i for i, name in enumerate(references)}})
    assert harmed_groups(decision(), gather(same)) == []


def test_only_the_subsets_that_are_judged_count():
    only = decision(endpoints=[{"subset": "forget_test"}, {"subset": "remain_train"}])
    made = predictions(0.8)
    assert all(said.startswith("remain train") for said in harmed_groups(only, gather(made)))
