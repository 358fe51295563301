from __future__ import annotations

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.typing.bind import examine
from monai_unlearn.cohort.typing.columns import Columns
from monai_unlearn.cohort.typing.compared import compared
from monai_unlearn.vocabulary.fields import Kind

COLUMNS = Columns(
    {"laterality": Kind.TEXT, "device": Kind.TEXT, "patient": Kind.TEXT, "vpf": Kind.NUMBER, "visit": Kind.DATE}
)


def _compared(text):
    bound, _ = examine([parse(text)], COLUMNS, value_sets=None)
    return [part.to_dict() for part in compared([parse(text)], bound)]


def test_each_condition_on_a_text_says_how_it_compares():
    assert _compared("device == AX  STIR and (device != 'a b' or device like a-b)") == [
        {"field": "device", "how": "folded", "values": ["AX STIR"], "matters": True},
        {"field": "device", "how": "exact", "values": ["a b"], "matters": True},
        {"field": "device", "how": "letters", "values": ["a-b"], "matters": True},
    ]


def test_one_list_may_compare_in_two_ways():
    assert [(part["how"], part["values"]) for part in _compared("device in [a, 'b c', d]")] == [
        ("folded", ["a", "d"]),
        ("exact", ["b c"]),
    ]
    (part,) = _compared("device in @retired")
    assert (part["how"], part["values"], part["matters"]) == ("folded", ["@retired"], False)


def test_values_of_fields_that_identify_people_are_left_out():
    (part,) = _compared("patient == P 17")
    assert part == {"field": "patient", "how": "folded", "values": None, "matters": True}


def test_other_kinds_and_unknown_fields_are_left_out():
    text = "vpf == 10 and visit == 2019-01-31 and unheard == a b and device < A-1 and version(device) == 6.1"
    assert _compared(text) == []


def test_words_for_a_side_are_shown_as_the_side_that_is_compared():
    assert _compared("laterality in [OS, 'right eye', L]") == [
        {"field": "laterality", "how": "sides", "values": ["L", "R"], "matters": True}
    ]
    assert [part["matters"] for part in _compared("laterality == L or laterality in @eyes")] == [False, True]
