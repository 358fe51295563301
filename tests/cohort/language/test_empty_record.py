from __future__ import annotations

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.empty_record import value_of_empty_record
from monai_unlearn.cohort.language.predicate import Predicate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a == 1", None),
        ("a != 1", None),
        ("a not in [1]", None),
        ("exists(a)", False),
        ("missing(a)", True),
        ("not exists(a)", True),
        ("not a == 1", None),
        ("missing(a) or b == 1", True),
        ("missing(a) and b == 1", None),
        ("missing(a) and missing(b)", True),
        ("exists(a) and b == 1", False),
        ("exists(a) or b == 1", None),
        ("exists(a) or exists(b)", False),
    ],
)
def test_the_value_of_a_record_with_every_field_missing(text, value):
    assert value_of_empty_record(parse(text)) is value


def test_a_node_without_a_handler_raises():
    class Strange(Predicate):
        def render(self, **_):
            return "?"

    with pytest.raises(NotImplementedError, match="Strange"):
        value_of_empty_record(Strange())
