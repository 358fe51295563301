from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.parse import parse
from monai_unlearn.cohort.query.value_lists import Listed, Spelling, value_lists

SETS = {"gone": ("b", "a"), "limit": ("3",)}


@pytest.mark.parametrize(
    ("predicate", "lists"),
    [
        ("patient in @gone", [("@gone", "gone", ("a", "b"))]),
        ("patient not in @gone", [("@gone", "gone", ("a", "b"))]),
        ("patient in @gone or not patient in @gone", [("@gone", "gone", ("a", "b"))]),
        ("device in [y, x, y]", [("[… 2 values]", None, ("x", "y"))]),
        ("patient == b or patient != a", [("== …", None, ("a", "b"))]),
        ("patient ~= b", [("~= …", None, ("b",))]),
        ("vpf == @limit", [("@limit", "limit", ("3",))]),
        # Neither names somebody, nor is it a list.
        ("device == x", []),
        ("vpf > @limit", []),
        ("patient contains x", []),
        ("zscore(age) in [1, 2]", []),
    ],
)
def test_lists_are_found_wherever_they_are_in_a_predicate(predicate, lists):
    found = value_lists([parse(f"{predicate} and exists(device)")], SETS)
    assert [(one.label, one.set_name, tuple(value.text for value in one.values)) for one in found] == lists


def test_a_set_that_is_compared_with_two_fields_is_two_lists():
    found = value_lists([parse("patient in @gone"), parse("any(OtherPatientIDs) in @gone")], SETS)
    assert [str(one.term) for one in found] == ["patient", "any(OtherPatientIDs)"]


def test_each_operator_has_its_own_list():
    found = value_lists([parse("patient == a or patient ~= a or patient like a or device like a")], SETS)
    assert [(one.label, one.spelling) for one in found] == [
        ("== …", Spelling.OWN),
        ("~= …", Spelling.ANY_CASE),
        ("like …", Spelling.LETTERS),
    ]


def test_a_quoted_value_differs_from_the_same_text_without_quotes():
    (found,) = value_lists([parse("device in ['AX STIR', AX STIR, AX  STIR, 'AX']")], SETS)
    assert found.label == "[… 3 values]"
    assert found.values == (Listed("AX"), Listed("AX STIR"), Listed("AX STIR", exact=True))


def test_the_values_of_a_set_are_folded_whatever_signs_they_have():
    (found,) = value_lists([parse("patient in @odd")], {"odd": ("O'Neil", "A\u00a017")})
    assert not any(value.exact for value in found.values)
