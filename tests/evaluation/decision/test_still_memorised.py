from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import CLASSES, decision
from membership_example import SUBSETS, memorised

from monai_unlearn.evaluation.decision import decide, gather
from monai_unlearn.evaluation.decision.matched_losses import MatchedLosses
from monai_unlearn.evaluation.decision.still_memorised import still_memorised
from monai_unlearn.evaluation.decision.target import PredictedTarget

PARTS = ("forget", "remain")
TARGET = PredictedTarget(name="never_trained", kind="never_trained", proxies=0, counterparts=PARTS)
# Few of one class: its AUC hardly moves that over all, and no interval of it lies wholly beyond the margin.
COUNTS = {subset: {"healthy": 600, "sick": 600} for subset in SUBSETS} | {"forget_train": {"healthy": 600, "sick": 40}}


def sick_members(table):
    frame = table.frame
    return ((frame["part"] == "forget") & (frame["split"] == "train") & (frame["label"] == "sick")).to_numpy()


def with_sick(table, change, network="revised"):
    """The table with other logits of a network on forget training images of the class sick."""
    logits = {name: values.copy() for name, values in table.logits.items()}
    rows = sick_members(table)
    logits[network][rows] = change(table, rows)
    return replace(table, logits=logits)


def said(table):
    return still_memorised(gather(table), MatchedLosses.of(table, PARTS), margin=0.1)


def forgotten(original=0.6, patients=COUNTS, **others):
    return memorised({"original": original, "revised": 0.0, **others}, patients=patients, noise=0.05)


def test_one_that_forgot_has_nothing_said_of_it():
    assert said(forgotten()) == []
    assert decide(decision(), forgotten(), target=TARGET).verdict == "qualified"


def test_one_class_that_is_bit_for_bit_as_before_is_found():
    table = with_sick(forgotten(), lambda found, rows: found.logits["original"][rows])
    outcome = decide(decision(), table, target=TARGET)
    assert not any(one.blocks for one in outcome.comparisons)
    assert outcome.verdict == "inconclusive"
    assert any("Class sick: of 40 patients, 40 are predicted exactly as by the original" in why for why in outcome.why)
    assert any(why.startswith("Class sick: hardly anything was forgotten") for why in outcome.why)


def test_it_is_found_where_its_memorisation_was_not_measurable_too():
    table = memorised({"original": 0.6, "revised": 0.0}, patients=COUNTS, noise=0.05)
    table = with_sick(table, lambda found, rows: found.logits["revised"][rows], "original")
    assert said(table) == [
        "Class sick: of 40 patients, 40 are predicted exactly as by the original: nothing was changed for them."
    ]


def test_one_class_that_is_as_memorised_as_before_is_found():
    rng = np.random.default_rng(1)
    table = with_sick(
        forgotten(), lambda found, rows: found.logits["original"][rows] + rng.normal(0, 0.05, (rows.sum(), 2))
    )
    outcome = decide(decision(), table, target=TARGET)
    assert not any(one.blocks for one in outcome.comparisons)
    assert outcome.verdict == "inconclusive"
    assert [why[:44] for why in outcome.why] == ["Class sick: hardly anything was forgotten: o"]


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_patients_for_whom_nothing_was_changed_are_counted(share):
    def change(found, rows):
        kept = np.arange(rows.sum()) < share * rows.sum()
        return np.where(kept[:, None], found.logits["original"][rows], found.logits["revised"][rows])

    (first, *_) = said(with_sick(forgotten(), change))
    assert first.startswith(f"Class sick: of 40 patients, {int(40 * share)} are predicted exactly")


def test_one_class_at_both_ends_is_found():
    counts = COUNTS | {"forget_train": {"healthy": 900, "sick": 100}}
    table = forgotten(patients=counts)

    def apart(found, rows):
        values = found.logits["revised"][rows]
        values[:, 1] += np.where(np.arange(rows.sum()) % 2, 2.0, -2.0)
        return values

    lines = said(with_sick(table, apart))
    assert len(lines) == 1
    assert lines[0].startswith("Class sick: of the forget training images some are still memorised and others")


def test_one_class_that_comes_back_is_found():
    table = forgotten(revised_recalibrated=0.0)
    back = with_sick(table, lambda found, rows: found.logits["original"][rows], "revised_recalibrated")
    assert said(table) == []
    (line,) = said(back)
    assert line.startswith("Class sick: the images are still memorised once BatchNorm statistics are recalibrated")


def test_classes_are_those_of_the_network():
    assert {one.split(":")[0] for one in said(memorised({"original": 0.8, "revised": 0.8}, patients=300))} == {
        "Hardly anything was forgotten",
        *(f"Class {name}" for name in CLASSES),
    }
