from __future__ import annotations

import numpy as np
import pytest
from audit_example import SIZES, audited, frame, network, retrained
from sklearn.metrics import roc_auc_score, roc_curve

from monai_unlearn.evaluation.audits.membership import measure

ROWS = frame()
MEMORISED = {"forget_train": 4.0, "remain_train": 4.0}


def found(rows=ROWS, seeds=3, **networks):
    plain = {"original": network(rows, seed=1, strength=MEMORISED), "revised": network(rows, seed=2)}
    return measure(audited(rows, {**plain, **networks, **retrained(rows, seeds)}))


def figures(finding):
    return {row.measure: row for row in finding.rows}


@pytest.mark.parametrize("attack", ["loss", "rmia", "iam"])
def test_a_network_that_memorised_is_found_out_and_one_that_never_saw_the_images_is_not(attack):
    row = figures(found())[f"auc_{attack}"]
    assert row.original.interval[0] > 0.7
    assert row.revised.interval[0] < 0.5 < row.revised.interval[1]
    assert len(row.retrained) == 3
    for one in row.retrained:
        assert one.interval[0] < 0.5 < one.interval[1]
    assert row.place in ("below", "within", "above")


def test_the_loss_attack_is_the_area_of_sklearn_class_by_class():
    subject = audited(ROWS, {"original": network(ROWS, seed=1, strength=MEMORISED), "revised": network(ROWS, seed=2)})
    logits = subject.table.logits["original"].astype(float)
    loss = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(ROWS)), subject.labels]
    areas = []
    for label in (0, 1):
        of = np.isin(subject.places, ["forget_train", "forget_test"]) & (subject.labels == label)
        areas.append(roc_auc_score(subject.places[of] == "forget_train", -loss[of]))
    assert figures(measure(subject))["auc_loss"].original.value == pytest.approx(np.mean(areas))


def test_the_images_are_counted():
    facts = dict(found().facts)
    facts.pop("roc")
    assert facts == {
        "members": 240,
        "non_members": 160,
        "population": 320,
        "classes": ["healthy", "sick"],
        "patients": 200,
    }


def test_the_curve_is_that_of_sklearn_for_images_of_one_class():
    rows = ROWS[ROWS["label"] == "sick"].reset_index(drop=True)
    subject = audited(rows, {"original": network(rows, seed=1, strength=MEMORISED), "revised": network(rows, seed=2)})
    roc = measure(subject).facts["roc"]
    assert (roc["attack"], roc["false_positive_rates"][1]) == ("loss", 0.05)
    at = np.flatnonzero(np.isin(subject.places, ["forget_train", "forget_validation", "forget_test"]))
    own, member = subject.own("original", at), subject.places[at] == "forget_train"
    rates, caught, _ = roc_curve(member, own, drop_intermediate=False)
    for rate, found_rate in zip(roc["false_positive_rates"], roc["true_positive_rates"]["original"], strict=True):
        assert found_rate == pytest.approx(caught[rates <= rate + 1e-9].max(), abs=0.02)
    assert list(roc["true_positive_rates"]) == ["original", "revised"]


def test_a_low_rate_takes_three_hundred_non_members():
    few = figures(found())["tpr_at_1_percent_fpr_loss"]
    assert few.original.value is None
    assert "160 images that were never trained on; 300 are needed" in few.why
    many = frame({**SIZES, "forget_test": 150})
    row = figures(found(many))["tpr_at_1_percent_fpr_loss"]
    assert row.original.value > row.revised.value
    subject = audited(many, {"original": network(many, seed=1, strength=MEMORISED), "revised": network(many, seed=2)})
    own = subject.table.probabilities("original")[np.arange(len(many)), subject.labels]
    limit = np.sort(own[subject.places == "forget_test"])[-4]  # three of 300 lie above
    assert row.original.value == pytest.approx(np.mean(own[subject.places == "forget_train"] > limit))


def test_without_images_of_the_cohort_that_were_never_trained_on_it_is_not_measurable():
    rows = frame({name: size for name, size in SIZES.items() if name != "forget_test"})
    finding = found(rows)
    assert finding.status == "not_measurable"
    assert "Images of other cohorts are no substitute" in finding.why
    none = found(frame({name: size for name, size in SIZES.items() if name != "forget_train"}))
    assert none.status == "not_measurable"


def test_a_class_without_non_members_is_left_out():
    rows = ROWS[~((ROWS["split"] == "test") & (ROWS["part"] == "forget") & (ROWS["label"] == "sick"))]
    finding = found(rows.reset_index(drop=True))
    assert finding.facts["classes"] == ["healthy"]
    assert finding.facts["members"] == 120


def test_out_models_are_needed_but_for_the_loss():
    alone = figures(found(seeds=0))
    assert alone["auc_loss"].original.value > 0.7
    assert alone["auc_rmia"].original.value is None
    assert "needs a retrained network" in alone["auc_iam"].why
    one = figures(found(seeds=1))
    assert one["auc_iam"].original.value > 0.7
    assert one["auc_iam"].retrained[0].value is None
    assert "each of these another one" in one["auc_rmia"].why


def test_rmia_needs_a_population():
    rows = frame(
        {name: size for name, size in SIZES.items() if not name.startswith("remain_") or name == "remain_train"}
    )
    found_ = figures(found(rows))
    assert "remain part that were never trained on" in found_["auc_rmia"].why
    assert found_["auc_iam"].why is None
    rows = frame({name: size for name, size in SIZES.items() if name != "remain_train"})
    assert "that the retrained networks were trained on" in figures(found(rows))["auc_iam"].why
