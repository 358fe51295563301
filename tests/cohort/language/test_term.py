from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.term import Arithmetic, Call, Field, Negative, Number, Sign

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
def test_no_more_brackets_than_it_takes(term, text):
    assert str(term) == text


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Number("-3"), "a finite number"),
        (lambda: Number("1e999"), "a finite number"),
        (lambda: Number("1", "m m"), "a unit such as mm"),
        (lambda: Call("eval", (A,)), "the name of a function"),
        (lambda: Call("mean", (A,)), "mean takes at least 2 arguments, got 1"),
        (lambda: Call("abs", (A, B)), "abs takes 1 argument, got 2"),
        (lambda: Call("abs", (A,), (B,)), "only a cohort statistic goes on with 'by'"),
        (lambda: Call("zscore", (Negative(Call("mad_z", (A,))),)), "cannot be computed of another one"),
    ],
)
def test_what_cannot_be_computed_cannot_be_built(build, message):
    with pytest.raises(ValueError, match=message):
        build()
