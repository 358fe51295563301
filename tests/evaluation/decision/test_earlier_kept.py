from __future__ import annotations

from dataclasses import replace

import pytest
from decision_example import CLASSES, SUBSETS, decision, table

from monai_unlearn.evaluation.decision import Endpoint, gather
from monai_unlearn.evaluation.decision.compare_subsets import Against, compared
from monai_unlearn.evaluation.decision.earlier_kept import earlier_kept

EARLIER = "earlier:0.2.0_train"
FORGOTTEN = {"healthy": (0.6, 0.4), "sick": (0.4, 0.6)}
KNOWN = {"healthy": (0.95, 0.05), "sick": (0.05, 0.95)}


def rows_of(revised, patients, *endpoints):
    shares = {name: {**dict.fromkeys(SUBSETS, KNOWN), EARLIER: FORGOTTEN} for name in ("original", "revised")}
    shares["revised"][EARLIER] = revised
    counts = {**dict.fromkeys(SUBSETS, dict.fromkeys(CLASSES, 50)), EARLIER: patients}
    evidence = gather(table(shares, patients=counts))
    given = decision()
    judged = replace(
        given, endpoints=(*given.endpoints, *(Endpoint(subset=EARLIER, **one) for one in endpoints or [{}]))
    )
    against = Against(evidence=evidence, healthy=("healthy",), others=("original",), fixed=True)
    return [one for like in earlier_kept(judged, evidence) for one in compared(like, against)]


def keys(rows):
    return [(one.label, one.measure, one.rule, one.is_guard) for one in rows]


def test_each_class_with_enough_patients_and_the_others_together():
    assert keys(rows_of(FORGOTTEN, {"healthy": 150, "sick": 150})) == [
        ("all", "sensitivity", "inside", False),
        ("healthy", "mean_probability", "inside", False),
        ("sick", "mean_probability", "inside", False),
    ]
    assert keys(rows_of(FORGOTTEN, {"healthy": 150, "sick": 12})) == [
        ("all", "sensitivity", "inside", False),
        ("healthy", "mean_probability", "inside", False),
        ("sick", "mean_probability", "not_beyond", True),
        ("sick", "mean_probability", "point_within", False),
    ]
    assert keys(rows_of(FORGOTTEN, {"sick": 1})) == [
        ("all", "sensitivity", "point_within", False),
        ("all", "mean_probability", "point_within", False),
    ]


@pytest.mark.parametrize("patients", [{"healthy": 150, "sick": 150}, {"healthy": 5, "sick": 5}])
def test_only_what_rises_blocks(patients):
    assert not any(one.blocks for one in rows_of(FORGOTTEN, patients))
    assert any(one.blocks for one in rows_of(KNOWN, patients) if one.measure == "mean_probability")
    assert not any(one.blocks for one in rows_of({"healthy": (0.1, 0.9), "sick": (0.9, 0.1)}, patients))


def test_one_class_does_not_hide_behind_another():
    rows = rows_of({"healthy": (0.95, 0.05), "sick": (0.8, 0.2)}, {"healthy": 150, "sick": 150})
    assert [one.label for one in rows if one.blocks] == ["healthy"]


def test_the_smallest_margin_declared_counts():
    rows = rows_of(
        FORGOTTEN, {"healthy": 150, "sick": 150}, {"margin": 0.03}, {"measure": "sensitivity", "margin": 0.2}
    )
    assert {one.margin for one in rows} == {0.03}


def test_what_was_declared_is_judged():
    declared = [{"measure": "false_negatives"}, {"measure": "macro_sensitivity"}, {"label": "sick"}]
    rows = keys(rows_of(FORGOTTEN, {"healthy": 150, "sick": 12}, *declared))
    assert rows[4:] == [
        ("sick", "sensitivity", "inside", False),
        ("sick", "mean_probability", "inside", False),
        ("all", "macro_sensitivity", "inside", False),
        ("all", "false_negatives", "point_within", False),
    ]


def test_without_any_image_it_blocks():
    rows = rows_of(FORGOTTEN, {})
    assert [one.blocks for one in rows] == [True]
