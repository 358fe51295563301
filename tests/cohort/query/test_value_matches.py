from __future__ import annotations

import datetime as dt

import pytest
from cohort_index import make_index

from monai_unlearn.cohort.language.parse import parse
from monai_unlearn.cohort.query.field_sql import Plausibility
from monai_unlearn.cohort.query.near_misses import KINDS
from monai_unlearn.cohort.query.value_lists import value_lists
from monai_unlearn.cohort.query.value_matches import match_values
from monai_unlearn.cohort.typing.bind import bind
from monai_unlearn.cohort.typing.columns import Columns
from monai_unlearn.vocabulary.fields import Kind

HOSPITAL = ["0012345", "0012346", "12345", "MRN-0077", "mrn-0078", "A 17", "B17", "0099"]


def matches(index, predicate, sets=None, absent=None, plausibility=None):
    node = parse(predicate)
    bound = bind([node], Columns(index.columns), name="test", value_sets=sets or {})
    lists = value_lists([node], sets or {})
    return match_values(index, lists, bound, absent=dict.fromkeys(lists, absent or ()), plausibility=plausibility)


@pytest.fixture
def hospital(tmp_path):
    return make_index(tmp_path / "index", {"patient": HOSPITAL})


def near(match):
    return {kind: count for kind, count in match.near.items() if count}


def test_a_consent_list_that_is_spelt_otherwise(hospital):
    # Half of the list does not occur: Excel took the zeros, wrote a number, and the prefix was left out.
    (match,) = matches(hospital, "patient in @gone", {"gone": ("0012345", "B17", "0099", "12346", "12346.0", "0077")})
    assert match.to_dict() == {
        "list": "@gone",
        "field": "patient",
        "values": 6,
        "matched": 3,
        "absent": 0,
        "near": {"case": 0, "spaces": 0, "leading_zeros": 1, "decimal": 1, "affix": 1},
    }
    assert match.missing == {"12346", "12346.0", "0077"}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("mrn-0077", "case"),
        ("MRN-0078", "case"),
        ("A17", "spaces"),
        ("a\u00a017", "spaces"),
        ("MRN\u20110077", "spaces"),
        ("MRN 0077", "spaces"),
        ("MRN77", "leading_zeros"),
        ("99", "leading_zeros"),
        ("000099", "leading_zeros"),
        ("mrn-77", "leading_zeros"),
        ("99.0", "decimal"),
        ("0099.00", "decimal"),
        ("78", "affix"),
        ("PAT0099", "affix"),
        ("0099/2", "affix"),
        ("X-99-KN", "affix"),
        ("C17", None),
        ("9", None),
        ("990", None),
        ("unheard of", None),
    ],
)
def test_a_near_miss_counts_once_by_the_least_that_explains_it(hospital, value, kind):
    (match,) = matches(hospital, f"patient in ['{value}']")
    assert not match.found
    assert near(match) == ({} if kind is None else {kind: 1})


def test_values_of_a_multi_valued_tag_count_one_by_one(tmp_path):
    index = make_index(tmp_path / "index", {"ImageType": ["ORIGINAL\\PRIMARY", "DERIVED"]}, {"ImageType": Kind.TEXT})
    sets = {"types": ("PRIMARY", "DERIVED", "primary", "ORIGINAL\\PRIMARY")}
    (match,) = matches(index, "ImageType in @types", sets)
    assert match.found == {"PRIMARY", "DERIVED", "ORIGINAL\\PRIMARY"}
    assert near(match) == {"case": 1}
    (each,) = matches(index, "any(ImageType) in @types", sets)
    assert each.found == {"PRIMARY", "DERIVED"}


@pytest.mark.parametrize(
    ("predicate", "found"),
    [("vpf in [1, 2.50, 3]", {"1", "2.50"}), ("visit in [2018-06-05, 2018-06-06]", {"2018-06-05"})],
)
def test_numbers_and_dates_match_by_value(tmp_path, predicate, found):
    columns = {"vpf": [1.0, 2.5, None], "visit": [dt.date(2018, 6, 5), None, None]}
    index = make_index(tmp_path / "index", columns, {"vpf": Kind.NUMBER, "visit": Kind.DATE})
    (match,) = matches(index, predicate, absent=("not a value",))
    assert match.found == found
    assert near(match) == {}


def test_a_comparison_that_ignores_case_finds_another_spelling(hospital):
    (match,) = matches(hospital, "patient ~= mrn-0077")
    assert match.found == {"mrn-0077"}


def test_only_usable_images_count(tmp_path):
    columns = {"patient": ["a", "b", "c"], "fault": ["truncated", "invalid_date", None]}
    index = make_index(tmp_path / "index", columns)
    (match,) = matches(index, "patient in [a, b, c]")
    assert match.found == {"b", "c"}


def test_values_that_are_known_to_be_absent(hospital):
    (match,) = matches(hospital, "patient in [0099, 1234, 99]", absent=("1234", "12345", "nobody"))
    assert match.absent == {"1234"}
    assert match.missing == {"99"}
    # Said to be absent, and there.
    assert match.wrongly_absent == {"12345"}
    assert set(match.near) == set(KINDS)


def test_quotes_in_values_are_only_text(tmp_path):
    index = make_index(tmp_path / "index", {"patient": ["O'Neil", 'x"y', "%"]})
    (match,) = matches(index, "patient in @gone", {"gone": ("O'Neil", 'x"y', "'; DROP TABLE x; --", "_")})
    assert match.found == {"O'Neil", 'x"y'}


def test_without_lists_nothing_is_asked(hospital, monkeypatch):
    monkeypatch.setattr("monai_unlearn.cohort.query.value_matches.open_index", None)
    assert match_values(hospital, (), {}) == ()


def test_a_value_that_a_query_does_not_believe_does_not_occur(tmp_path):
    days = [dt.date(1900, 1, 1), dt.date(2018, 6, 5)]
    index = make_index(tmp_path / "index", {"StudyDate": days}, {"StudyDate": Kind.DATE})
    sets = {"days": ("1900-01-01", "2018-06-05")}
    (doubted,) = matches(index, "StudyDate in @days", sets)
    (kept,) = matches(index, "StudyDate in @days", sets, plausibility=Plausibility(keep=True))
    assert (doubted.found, kept.found) == ({"2018-06-05"}, {"1900-01-01", "2018-06-05"})
