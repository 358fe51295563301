from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.resolve.attrition import AttritionRow, RowKind, as_text
from monai_unlearn.vocabulary.fields import Kind

ROW = AttritionRow(
    kind=RowKind.RULE,
    rule="device == x",
    images_in=1200,
    images_out=7,
    studies_in=3,
    studies_out=2,
    patients_in=2,
    patients_out=1,
)


def test_a_row_is_plain_values_in_one_order_without_its_kind():
    assert list(ROW.to_dict()) == [
        "rule",
        "images_in",
        "images_out",
        "studies_in",
        "studies_out",
        "patients_in",
        "patients_out",
        "images_unknown",
    ]


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        ("", "readable rule"),
        ("population: exists(site)", "readable population rule"),
        ("unknown: forget", "readable rule unknown"),
        ("scope: study\nsample: {count: 1}", "readable rule scope sample"),
    ],
)
def test_each_row_knows_which_step_it_is(index, more, kinds):
    rows = make_spec("device == old", more).resolve(index).attrition
    assert [row.kind.value for row in rows] == kinds.split()
    assert rows[0].images_unknown == 0


def test_only_unknown_and_scope_add_images():
    assert {kind for kind in RowKind if kind.adds_images} == {RowKind.UNKNOWN, RowKind.SCOPE}


def test_rows_line_up():
    assert as_text([ROW.to_dict()]) == "       1200 → 7         device == x"


@pytest.fixture
def index(tmp_path):
    columns = {
        #          00     01     02     03    04    05     06
        "device": ["old", "old", "old", "old", None, "new", "new"],
        "site": ["a", None, "b", "a", None, "a", "c"],
        "year": ["1", "1", "1", "2", "1", None, "2"],
        "patient": ["p", "p", "q", "q", "r", None, "s"],
    }
    kinds = {"device": Kind.TEXT, "site": Kind.TEXT, "year": Kind.TEXT}
    return make_index(tmp_path / "index", columns, kinds)


def _flow(index, forget, more=""):
    rows = make_spec(forget, more).resolve(index).attrition
    return [(row.rule, row.images_in, row.images_out, row.images_unknown) for row in rows[1:]]


def test_each_rule_counts_the_images_that_entered_and_those_it_is_unknown_for(index):
    # 04 has no site either, but was removed before; 05 was removed before the last rule.
    assert _flow(index, "[device == old, site == a, year == 1]") == [
        ("device == old", 7, 4, 1),
        ("site == a", 4, 2, 1),
        ("year == 1", 2, 1, 0),
    ]
    assert _flow(index, "[site == a, year == 1]") == [("site == a", 7, 3, 2), ("year == 1", 3, 1, 1)]


def test_a_group_of_any_or_not_is_one_row_and_each_of_all_its_own(index):
    forget = "{all: [device == old, year == 1], any: [site == a, site == b], not: {any: [year == 2, site == b]}}"
    assert _flow(index, forget) == [
        ("device == old", 7, 4, 1),
        ("year == 1", 4, 3, 0),
        # 01 has no site: both are unknown for it.
        ("site == a or site == b", 3, 2, 1),
        ("not (year == 2 or site == b)", 2, 1, 0),
    ]
    assert _flow(index, "[{any: [site == a, {all: [site == b, year == 1]}]}]") == [
        ("site == a or (site == b and year == 1)", 7, 4, 2)
    ]


def test_the_population_counts_the_images_it_is_unknown_for(index):
    assert _flow(index, "device == old", "population: site == a") == [
        ("population: site == a", 7, 3, 2),
        ("device == old", 3, 2, 0),
    ]


def test_a_scope_counts_what_it_leaves_undetermined(index):
    # 03 shares q with 02, whose year is known; 05 names no patient; 01 belongs to p, who is forgotten.
    assert _flow(index, "[site == a, year == 1]", "scope: patient")[-1] == ("scope: patient", 1, 2, 0)
    # 02 and 03 are not `site == a and year == 1`: only the unidentified image becomes undetermined.
    assert _flow(index, "[device == old, site == a, year == 1]", "scope: patient")[-1] == ("scope: patient", 1, 2, 1)
    # 01 may be from site b: so 00 of the same patient is undetermined too, as is the unidentified 05.
    assert _flow(index, "[device == old, site == b]", "scope: patient")[-1] == ("scope: patient", 1, 2, 2)


def test_a_sample_counts_the_images_that_it_cannot_draw(index):
    assert _flow(index, "site == a", "sample: {fraction: 1, by: patient}")[-1] == (
        "sample: fraction 1 by patient, seed 0",
        3,
        2,
        1,
    )
    assert _flow(index, "site == a", "unknown: forget\nsample: {fraction: 1, by: patient}")[-1][1:] == (5, 5, 0)
