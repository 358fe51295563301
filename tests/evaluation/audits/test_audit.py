from __future__ import annotations

import numpy as np
import pytest
from audit_example import audited, frame, network, retrained

from monai_unlearn.evaluation.audits import Audit, Cost, Finding

ROWS = frame({"forget_train": 4, "remain_train": 6, "remain_test": 3})


def subject(**changes):
    logits = {"original": network(ROWS, seed=1), "revised": network(ROWS, seed=2), **retrained(ROWS, 2)}
    return audited(ROWS, {**logits, **changes})


def test_the_networks_are_the_original_the_revised_and_the_retrained_ones_that_count():
    found = subject(revised_as_trained=network(ROWS, seed=9))
    assert found.subjects == ("original", "revised", "reference", "reference_2")
    assert found.as_trained == "revised_as_trained"
    assert found.others("reference") == ("reference_2",)
    assert found.others("revised") == ("reference", "reference_2")
    twin = subject(reference_2=network(ROWS, seed=1))
    assert twin.retrained == ("reference",)
    assert subject().as_trained is None


def test_rows_without_a_finite_output_of_every_network_are_left_out():
    broken = network(ROWS, seed=2)
    broken[0, 0] = np.nan
    found = subject(revised=broken)
    assert found.rows("forget_train").tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert len(found.rows("remain_train", "remain_test")) == 18
    assert found.subsets == ("forget_train", "remain_train", "remain_test")


def test_eyes_of_a_patient_have_one_number():
    assert subject().patients[:4].tolist() == [0, 0, 1, 1]
    assert subject().labels[:4].tolist() == [0, 0, 1, 1]


def test_a_sample_is_drawn_by_the_seed_and_in_order():
    found = subject()
    first = found.sample(5, "remain_train")
    assert len(first) == 5
    assert (np.diff(first) > 0).all()
    assert found.sample(5, "remain_train").tolist() == first.tolist()
    assert set(first) <= set(found.rows("remain_train"))
    assert found.sample(99, "remain_train").tolist() == found.rows("remain_train").tolist()


def test_names_are_identifiers():
    with pytest.raises(ValueError, match="identifier in lower case, not 'Not this'"):
        Audit(name="Not this", description="", measure=lambda _: Finding())


def test_what_has_a_cost_needs_the_networks():
    assert Audit(name="some", description="", measure=lambda _: Finding(), cost=lambda _: Cost(passes=3)).needs_networks
    with pytest.raises(ValueError, match="needs the networks themselves"):
        _ = subject().of_run


def test_the_probability_of_the_true_class_is_that_of_the_table():
    found = subject()
    rows = found.rows("remain_test")
    expected = found.table.probabilities("revised")[rows, found.labels[rows]]
    assert found.own("revised", rows).tolist() == pytest.approx(expected.tolist())
