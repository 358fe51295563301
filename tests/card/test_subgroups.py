from __future__ import annotations

from card_example import SITES, rich

from monai_unlearn.card.subgroups import subgroups

ROWS = {row["key"]: row for row in rich()["subgroups"]["rows"]}


def test_a_row_for_each_metric_and_subgroup():
    row = ROWS["sensitivity/remain/test/sex/F"]
    assert (row["n"], row["patients"], row["before"]) == (40, 30, {"value": 0.8, "interval": [0.7, 0.9]})
    assert [one["network"] for one in row["retrained"]] == ["reference", "reference_2", "reference_3"]
    assert {row["slice"] for row in ROWS.values()} == {"sex", "age_band", "device", "site"}
    assert {row["metric"] for row in ROWS.values()} == {"accuracy", "sensitivity", "specificity"}


def test_small_subgroups_are_only_counted():
    assert rich()["subgroups"]["left_out"] == {"age_band": 1}
    assert rich()["subgroups"]["not_finite"] == {}
    assert not any("80+" in key for key in ROWS)


def test_sites_are_numbered_and_not_named():
    assert {row["value"] for row in ROWS.values() if row["slice"] == "site"} == {"site 1", "site 2"}
    assert not any(name in str(rich()) for name in SITES)


def test_without_slices_there_are_no_rows():
    assert subgroups({"slices": {}}) == {"rows": [], "left_out": {}, "not_finite": {}}


def test_a_network_with_an_output_that_is_not_finite_has_no_value():
    known = {"n": 40, "patients": 30, "accuracy": 0.9, "interval": [0.8, 0.95]}
    known |= {name: {"value": None, "interval": None} for name in ("sensitivity", "specificity")}
    slices = {
        "original": {"remain": {"test": {"sex": {"F": known}}}},
        "revised": {"remain": {"test": {"sex": {"F": {"n": 40, "patients": 30}}}}},
    }
    found = subgroups({"slices": slices})
    assert (found["left_out"], found["not_finite"]) == ({}, {"sex": 1})
    rows = found["rows"]
    assert [row["metric"] for row in rows] == ["accuracy"]
    assert rows[0]["after"] == {"value": None, "interval": None}
