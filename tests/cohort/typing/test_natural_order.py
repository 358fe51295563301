from __future__ import annotations

import pytest

from monai_unlearn.cohort.typing.natural_order import natural_order


@pytest.mark.parametrize("texts", [["0000999", "1000", "0001001"], ["A-2", "A-0010", "A-11"], ["1a9", "1a10", "2a1"]])
def test_numbers_within_a_text_are_compared_by_size(texts):
    orders = [natural_order(text) for text in texts]
    assert [order.numbers for order in orders] == sorted(order.numbers for order in orders)
    assert len({order.pattern for order in orders}) == 1


@pytest.mark.parametrize(("text", "other"), [("A-1", "B-1"), ("A-1", "A1"), ("1", "1A"), ("1-2", "12")])
def test_texts_with_other_letters_have_another_pattern(text, other):
    assert natural_order(text).pattern != natural_order(other).pattern


def test_spaces_and_dashes_are_folded_and_signs_mean_themselves():
    assert natural_order("A\u2011 1") == natural_order("A- 1")
    assert natural_order("A(1)*").pattern == r"^A\(([0-9]{1,64})\)\*$"


@pytest.mark.parametrize("text", ["", "none", "0.5", "-3", "+3", "1e5", "6.1.2", "2019-01-31", "31.01.2019", "1" * 65])
def test_what_digits_do_not_order(text):
    assert natural_order(text) is None
