from __future__ import annotations

import pytest
from decision_example import binary, decision, everywhere, table

from monai_unlearn.evaluation.decision import gather
from monai_unlearn.evaluation.decision.kept import compared_with_original, sensitivities_kept


def found(revised, patients=400):
    original = everywhere(binary(0.95, 0.94))
    judged = decision(objective="erase")
    evidence = gather(table({"original": original, "revised": revised}, patients=patients))
    return {(one.subset, one.label, one.measure): one for one in compared_with_original(judged, evidence)}


def test_each_class_and_its_false_negatives_are_guarded():
    rows = found(everywhere(binary(0.95, 0.94)))
    assert set(rows) == {
        ("remain_test", "all", "macro_sensitivity"),
        ("remain_test", "healthy", "sensitivity"),
        ("remain_test", "sick", "sensitivity"),
        ("remain_test", "sick", "false_negatives"),
    }
    assert not any(one.blocks for one in rows.values())
    assert all(one.seeds is None and one.difference == 0 for one in rows.values())


@pytest.mark.parametrize(
    ("remain", "blocking"),
    [
        (binary(0.95, 0.8), {("all", "macro_sensitivity"), ("sick", "sensitivity"), ("sick", "false_negatives")}),
        (binary(0.8, 0.94), {("all", "macro_sensitivity"), ("healthy", "sensitivity")}),
    ],
)
def test_a_class_that_got_worse_blocks(remain, blocking):
    rows = found(everywhere(remain))
    assert {key[1:] for key, one in rows.items() if one.blocks} == blocking


def test_probabilities_may_move_where_classifications_stay():
    """Endpoints on mean probabilities are held as sensitivities: those of retrained networks move as well."""
    kept = sensitivities_kept(decision())
    assert {(one.subset, one.measure) for one in kept.endpoints if one.part == "remain"} == {
        ("remain_test", "macro_sensitivity")
    }
    only = sensitivities_kept(
        decision(endpoints=[{"subset": "forget_test"}, {"subset": "remain_test", "margin": 0.02}])
    )
    (mean,) = [one for one in only.endpoints if one.part == "remain"]
    assert (mean.measure, mean.label, mean.margin) == ("macro_sensitivity", "all", 0.05)
