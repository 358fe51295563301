from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import pytest
from cohort_index import make_index
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monai_unlearn.cohort.language.condition import Comparison, In, Like, Operator
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.parse import parse
from monai_unlearn.cohort.language.term import Call, Each, Field, Quantifier
from monai_unlearn.cohort.query.field_sql import Plausibility
from monai_unlearn.cohort.query.near_misses import KINDS
from monai_unlearn.cohort.query.query import run_query
from monai_unlearn.cohort.query.statement import Question
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


def test_each_of_several_numbers_occurs(tmp_path):
    columns = {"SliceThickness": [None, 3.0, None], "several_values": ["SliceThickness=2.5/5.0", None, None]}
    index = make_index(tmp_path / "index", columns, {"SliceThickness": Kind.NUMBER})
    for term in ("SliceThickness", "any(SliceThickness)"):
        (match,) = matches(index, f"{term} in [5, 3, 4]")
        assert texts(match.found) == {"5", "3"}


@pytest.fixture
def hospital(tmp_path):
    return make_index(tmp_path / "index", {"patient": HOSPITAL})


def texts(values):
    return {value.text for value in values}


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
        "near": {"case": 0, "spaces": 0, "compatibility": 0, "leading_zeros": 1, "decimal": 1, "affix": 1},
    }
    assert texts(match.missing) == {"12346", "12346.0", "0077"}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("mrn-0077", "case"),
        ("MRN-0078", "case"),
        ("A17", "spaces"),
        ("a\u00a017", "spaces"),
        ("MRN\u20110077", "spaces"),
        ("MRN 0077", "spaces"),
        ("\uff22\uff11\uff17", "compatibility"),
        ("\uff22 \uff11\uff17", "compatibility"),
        ("\uff19\uff19", "leading_zeros"),
        ("\uff19\uff19.0", "decimal"),
        ("\uff17\uff18", "affix"),
        ("MRN77", "leading_zeros"),
        ("99", "leading_zeros"),
        ("000099", "leading_zeros"),
        ("mrn-77", "leading_zeros"),
        ("99.0", "decimal"),
        ("0099.00", "decimal"),
        ("1.2345E+04", "decimal"),
        ("9.9e1", "decimal"),
        ("9.8E+01", None),
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
    assert texts(match.found) == {"PRIMARY", "DERIVED", "ORIGINAL\\PRIMARY"}
    assert near(match) == {"case": 1}
    (each,) = matches(index, "any(ImageType) in @types", sets)
    assert texts(each.found) == {"PRIMARY", "DERIVED"}


@pytest.mark.parametrize(
    ("predicate", "found"),
    [("vpf in [1, 2.50, 3]", {"1", "2.50"}), ("visit in [2018-06-05, 2018-06-06]", {"2018-06-05"})],
)
def test_numbers_and_dates_match_by_value(tmp_path, predicate, found):
    columns = {"vpf": [1.0, 2.5, None], "visit": [dt.date(2018, 6, 5), None, None]}
    index = make_index(tmp_path / "index", columns, {"vpf": Kind.NUMBER, "visit": Kind.DATE})
    (match,) = matches(index, predicate, absent=("not a value",))
    assert texts(match.found) == found
    assert near(match) == {}


def test_a_comparison_that_ignores_case_finds_another_spelling(hospital):
    (match,) = matches(hospital, "patient ~= mrn-0077")
    assert texts(match.found) == {"mrn-0077"}


def test_only_usable_images_count(tmp_path):
    columns = {"patient": ["a", "b", "c"], "fault": ["truncated", "invalid_date", None]}
    index = make_index(tmp_path / "index", columns)
    (match,) = matches(index, "patient in [a, b, c]")
    assert texts(match.found) == {"b", "c"}


def test_values_that_are_known_to_be_absent(hospital):
    (match,) = matches(hospital, "patient in [0099, 1234, 99]", absent=("1234", "12345", "nobody"))
    assert texts(match.absent) == {"1234"}
    assert texts(match.missing) == {"99"}
    # Said to be absent, and there.
    assert texts(match.wrongly_absent) == {"12345"}
    assert set(match.near) == set(KINDS)


def test_quotes_in_values_are_only_text(tmp_path):
    index = make_index(tmp_path / "index", {"patient": ["O'Neil", 'x"y', "%"]})
    (match,) = matches(index, "patient in @gone", {"gone": ("O'Neil", 'x"y', "'; DROP TABLE x; --", "_")})
    assert texts(match.found) == {"O'Neil", 'x"y'}


def test_without_lists_nothing_is_asked(hospital, monkeypatch):
    monkeypatch.setattr("monai_unlearn.cohort.query.value_matches.open_index", None)
    assert match_values(hospital, (), {}) == ()


def test_a_value_that_a_query_does_not_believe_does_not_occur(tmp_path):
    days = [dt.date(1900, 1, 1), dt.date(2018, 6, 5)]
    index = make_index(tmp_path / "index", {"StudyDate": days}, {"StudyDate": Kind.DATE})
    sets = {"days": ("1900-01-01", "2018-06-05")}
    (doubted,) = matches(index, "StudyDate in @days", sets)
    (kept,) = matches(index, "StudyDate in @days", sets, plausibility=Plausibility(keep=True))
    assert (texts(doubted.found), texts(kept.found)) == ({"2018-06-05"}, {"1900-01-01", "2018-06-05"})


@pytest.mark.parametrize(
    ("predicate", "found"),
    [
        # Unquoted, runs of white space and every kind of dash are folded; quoted, nothing is.
        ("device in [AX  STIR, HD-OCT, A 17]", {"AX STIR", "HD-OCT", "A 17"}),
        ("device in ['AX  STIR', 'HD-OCT', 'A 17']", {"AX  STIR"}),
        ("device in ['AX STIR', AX STIR]", {"AX STIR"}),
        ("device in @listed", {"AX STIR", "HD\u2212OCT", "A\u00a017"}),
        ("device in ['HD\u2011OCT', 'A\u00a017']", {"HD\u2011OCT", "A\u00a017"}),
    ],
)
def test_values_match_as_the_predicate_compares_them(tmp_path, predicate, found):
    index = make_index(tmp_path / "index", {"device": ["AX  STIR", "HD\u2011OCT", "A\u00a017"]}, {"device": Kind.TEXT})
    (match,) = matches(index, predicate, {"listed": ("AX STIR", "HD\u2212OCT", "A\u00a017", "ax stir")})
    assert texts(match.found) == found
    assert near(match) == {
        "device in ['AX  STIR', 'HD-OCT', 'A 17']": {"spaces": 2},
        "device in ['AX STIR', AX STIR]": {"spaces": 1},
        "device in @listed": {"spaces": 1},
    }.get(predicate, {})


@pytest.mark.parametrize(
    ("predicate", "found"),
    [
        ("patient ~= 'b17'", {"b17"}),
        ("patient like mrn0077 or patient like b-17 or patient like nobody", {"mrn0077", "b-17"}),
    ],
)
def test_a_looser_operator_finds_other_spellings(hospital, predicate, found):
    (match,) = matches(hospital, predicate)
    assert texts(match.found) == found


def test_values_of_a_function_match_as_it_reads_them(tmp_path):
    columns = {"SoftwareVersions": ["BOOT 2\\v6.10", "7"]}
    index = make_index(tmp_path / "index", columns, {"SoftwareVersions": Kind.TEXT})
    (match,) = matches(index, "version(SoftwareVersions) in [6.10, 6.1, 7.0, 2]")
    assert texts(match.found) == {"6.10", "7.0"}
    assert near(match) == {}


def test_a_value_that_is_known_to_be_absent_may_be_spelt_with_other_spaces(hospital):
    (match,) = matches(hospital, "patient in @gone", {"gone": ("X 1", "X 2")}, absent=("X\u00a01", "x 2"))
    assert texts(match.absent) == {"X 1"}


TEXTS = [
    "B17",
    "b17",
    "AX STIR",
    "AX  STIR",
    " B17",
    "A-1",
    "A\u20111",
    "A\u00a0 1",
    "A 1",
    "O'N",
    "0012",
    "x\\y",
    "(1)",
]
MANY = [*TEXTS, "B17\\A-1", "A\u20111\\\\b17", "\\", "v6.10\\7", "6.1"]
FIELDS = {
    "patient": TEXTS,
    "device": TEXTS,
    "ImageType": MANY,
    "SoftwareVersions": MANY,
    "vpf": ["1", "1.0", "2.50", "-3"],
    "visit": ["2018-06-05", "2018-06-06"],
}
KINDS_OF = {"device": Kind.TEXT, "ImageType": Kind.TEXT, "SoftwareVersions": Kind.TEXT, "vpf": Kind.NUMBER}
KINDS_OF["visit"] = Kind.DATE
COLUMNS = st.fixed_dictionaries(
    {
        **{name: st.lists(st.sampled_from([*FIELDS[name], None]), min_size=3, max_size=3) for name in list(FIELDS)[:4]},
        "vpf": st.lists(st.sampled_from([1.0, 2.5, float("nan"), None]), min_size=3, max_size=3),
        "visit": st.lists(st.sampled_from([dt.date(2018, 6, 5), None]), min_size=3, max_size=3),
    }
)


@st.composite
def asked(draw):
    """Draw a predicate with a list of one or several values, its value sets, and one predicate for each value."""
    name = draw(st.sampled_from(list(FIELDS)))
    term, is_text = Field(name), name not in ("vpf", "visit")
    if is_text and draw(st.booleans()):
        term = Each(draw(st.sampled_from(Quantifier)), term)
    each = Each(Quantifier.ANY, Field(name)) if isinstance(term, Each) else term  # one by one, a value is a part
    values = draw(st.lists(st.builds(Value, st.sampled_from(FIELDS[name]), st.booleans()), min_size=1, max_size=4))
    form = draw(st.sampled_from(["in", "set", "version", "==", "~=", "like"] if is_text else ["in", "set"]))
    if form == "version":
        term, values = Call("version", (Field(name),)), [Value(text) for text in draw(VERSIONS)]
        each = term
    if form == "set":
        texts_of_set = tuple(dict.fromkeys(value.text for value in values))
        single = [(In(each, Reference(f"one{number}")), (text,)) for number, text in enumerate(texts_of_set)]
        sets = {f"one{number}": of_one for number, (_, of_one) in enumerate(single)}
        return In(term, Reference("all")), {"all": texts_of_set, **sets}, [node for node, _ in single]
    if form in ("in", "version"):
        values = list(dict.fromkeys(values))
        return In(term, tuple(values)), {}, [Comparison(each, Operator.EQUAL, value) for value in values]
    value = values[0]
    if form == "like":
        return Like(Field("patient"), value), {}, [Like(Field("patient"), value)]
    node = Comparison(Field("patient"), Operator(form), value)
    return node, {}, [node]


VERSIONS = st.lists(st.sampled_from(["6.1", "6.10", "7.0", "9"]), min_size=1, max_size=3)
DEVICES = {"device": ["AX  STIR", "A\u20111", None]}


def columns_with(**columns):
    return {**{name: [None, None, None] for name in FIELDS}, **columns}


def one_by_one(predicate, *singles):
    return parse(predicate), {}, [parse(single) for single in singles]


@settings(max_examples=settings().max_examples // 4)  # each is an index of its own
@given(COLUMNS, asked())
@example(columns_with(**DEVICES), one_by_one("device in ['AX STIR', 'A-1']", "device == 'AX STIR'", "device == 'A-1'"))
@example(columns_with(**DEVICES), one_by_one("device in [AX STIR, A-1]", "device == AX STIR", "device == A-1"))
def test_the_count_is_that_of_the_values_that_catch_an_image_alone(columns, question):
    predicate, sets, singles = question
    with tempfile.TemporaryDirectory() as folder:
        index = make_index(Path(folder) / "index", columns, KINDS_OF)
        bound = bind([predicate, *singles], Columns(index.columns), name="test", value_sets=sets)
        (match,) = match_values(index, value_lists([predicate], sets), bound)
        question = Question(population=None, rules=tuple(singles), bound=bound, value_sets=sets)
        caught = [rule.true.any() for rule in run_query(index, question).rules]
    assert len(match.found) == sum(caught)
    assert sum(match.near.values()) <= len(match.source.values) - len(match.found)
