from __future__ import annotations

import pytest
from decision_example import CLASSES, SUBSETS, decision, table

from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.decision.still_forgotten import with_earlier

EARLIER = "earlier:0.2.0_train"
RETRAINED = {"healthy": (0.7, 0.3), "sick": (0.3, 0.7)}
KNOWN = {"healthy": (1.0, 0.0), "sick": (0.0, 1.0)}


def predictions(revised):
    """The earlier cohort as the revised network predicts it; elsewhere all networks are alike."""
    same = dict.fromkeys(SUBSETS, RETRAINED)
    networks = ("reference-1", "reference-2", "reference-3")
    shares = {
        "original": {**same, "forget_train": KNOWN, "forget_test": KNOWN, EARLIER: RETRAINED},
        "revised": {**same, EARLIER: revised},
        **{name: {**same, EARLIER: RETRAINED} for name in networks},
    }
    patients = {subset: dict.fromkeys(CLASSES, 200) for subset in (*SUBSETS, EARLIER)}
    return table(shares, patients=patients)


def test_each_earlier_cohort_is_an_endpoint_of_the_margin_of_forgetting():
    found = with_earlier(decision(), predictions(RETRAINED))
    (added,) = [one for one in found.endpoints if one not in decision().endpoints]
    assert (added.subset, added.measure, added.margin, added.part) == (
        EARLIER,
        "mean_probability",
        0.1,
        "earlier:0.2.0",
    )
    assert with_earlier(found, predictions(RETRAINED)) == found


@pytest.mark.parametrize(("revised", "verdict"), [(RETRAINED, "equivalent"), (KNOWN, "different")])
def test_what_comes_back_is_different(revised, verdict):
    predicted = predictions(revised)
    assert decide(decision(), predicted).verdict == "equivalent"
    assert decide(with_earlier(decision(), predicted), predicted).verdict == verdict


def test_an_erased_cohort_that_comes_back_is_compared_with_the_original():
    predicted = predictions(KNOWN)
    erase = with_earlier(decision(objective="erase"), predicted)
    (added,) = [one for one in erase.endpoints if one.subset == EARLIER]
    assert added.measure == "sensitivity"
    found = [one for one in decide(erase, predicted).comparisons if one.subset == EARLIER]
    assert [(one.label, one.measure) for one in found] == [
        ("all", "sensitivity"),
        ("healthy", "mean_probability"),
        ("sick", "mean_probability"),
    ]
    assert (found[0].value, {one.sides for one in found}) == (1.0, {"upper"})


def test_an_endpoint_on_one_class_does_not_replace_that_on_all():
    narrow = decision(endpoints=[*({"subset": name} for name in SUBSETS), {"subset": EARLIER, "class": "sick"}])
    assert len(with_earlier(narrow, predictions(KNOWN)).endpoints) == len(narrow.endpoints) + 1


def judged_of(splits, **changes):
    """The subsets of an earlier cohort that are judged, where it has images in some splits."""
    named = [f"earlier:0.2.0_{split}" for split in splits]
    same = {**dict.fromkeys(SUBSETS, RETRAINED), **dict.fromkeys(named, RETRAINED)}
    shares = dict.fromkeys(("original", "revised", "reference-1", "reference-2", "reference-3"), same)
    patients = {subset: dict.fromkeys(CLASSES, 40) for subset in (*SUBSETS, *named)}
    found = with_earlier(decision(**changes), table(shares, patients=patients))
    return [one.subset.partition("_")[2] for one in found.endpoints if one.subset.startswith("earlier")]


def test_few_validation_images_of_an_earlier_cohort_do_not_block_later_revisions():
    # Forty validation patients show nothing by an interval, and more of them cannot be found.
    assert judged_of(["train", "validation", "test"]) == ["test", "train"]
    assert judged_of(["train", "validation"]) == ["train"]


def test_validation_images_are_judged_where_those_of_the_forget_part_are():
    endpoints = [{"subset": "forget_validation"}, {"subset": "remain_test"}]
    assert judged_of(["train", "validation"], endpoints=endpoints) == ["train", "validation"]


def test_an_earlier_cohort_of_validation_images_alone_is_judged_by_these():
    assert judged_of(["validation"]) == ["validation"]
