from __future__ import annotations

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.term import (
    Arithmetic,
    Call,
    Field,
    Negative,
    Number,
    Sign,
    asks_about_people,
    statistics_of,
)

A, B, C = Field("a"), Field("b"), Field("c")


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Arithmetic(Sign.PLUS, A, Arithmetic(Sign.TIMES, B, C)), "a + b * c"),
        (Arithmetic(Sign.TIMES, Arithmetic(Sign.PLUS, A, B), C), "(a + b) * c"),
        (Arithmetic(Sign.MINUS, A, Arithmetic(Sign.MINUS, B, C)), "a - (b - c)"),
        (Arithmetic(Sign.MINUS, Arithmetic(Sign.MINUS, A, B), C), "a - b - c"),
        (Arithmetic(Sign.OVER, A, Negative(B)), "a / -b"),
        (Negative(Arithmetic(Sign.PLUS, A, B)), "-(a + b)"),
        (Call("zscore", (A,), (B, Field("odd x"))), "zscore(a) by (b, `odd x`)"),
        (Arithmetic(Sign.TIMES, A, Number("11.7", "mm")), "a * 11.7 mm"),
    ],
)
def test_canonical_text_has_as_few_brackets_as_possible(term, text):
    assert str(term) == text


@pytest.mark.parametrize(
    ("build", "message"),
    [
        *[(lambda name=name: Field(name), "expected a field name") for name in ("", "a`b", "a\nb", "\ud800")],
        (lambda: Number("-3"), "a finite number"),
        (lambda: Number("1e999"), "a finite number"),
        (lambda: Number("1", "m m"), "a unit such as mm"),
        (lambda: Call("eval", (A,)), "the name of a function"),
        (lambda: Call("mean", (A,)), "mean takes at least 2 arguments, got 1"),
        (lambda: Call("abs", (A, B)), "abs takes 1 argument, got 2"),
        (lambda: Call("abs", (A,), (B,)), "only a cohort statistic takes 'by'"),
        (lambda: Call("zscore", (Negative(Call("mad_z", (A,))),)), "cannot be computed from another one"),
    ],
)
def test_an_invalid_term_cannot_be_built(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("patient == 1", True),
        ("age > 1 and missing(mrn)", True),
        ("age > 1", False),
        ("zscore(age) by (study) > 1", True),
    ],
)
def test_a_predicate_asks_about_people_if_one_of_its_fields_identifies_them(text, private):
    assert asks_about_people(parse(text)) is private


def test_statistics_are_listed_once_in_order_of_appearance():
    found = statistics_of([parse("zscore(a) > 1 or mad_z(a) > 1"), parse("abs(zscore(a)) > 1 and a > 1")])
    assert found == (Call("zscore", (A,)), Call("mad_z", (A,)))
    assert statistics_of([parse("mean(a, b) > 1")]) == ()
