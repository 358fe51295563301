from __future__ import annotations

import duckdb
import pytest

from monai_unlearn.cohort.language.functions.function import Function, finite


def _function(**more):
    return Function(name="f", words="f of {all}", **more)


@pytest.mark.parametrize(
    ("function", "arguments", "by", "message"),
    [
        (_function(), 2, 0, "f takes 1 argument, got 2"),
        (_function(), 0, 0, "f takes 1 argument, got 0"),
        (_function(least=2, most=None), 1, 0, "f takes at least 2 arguments, got 1"),
        (_function(least=2, most=2), 3, 0, "f takes 2 arguments, got 3"),
        (_function(), 1, 1, "f is computed per image: only a cohort statistic takes 'by'"),
    ],
)
def test_a_call_that_does_not_fit_is_refused(function, arguments, by, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        function.check(arguments, by=by)


def test_a_call_that_fits_is_accepted():
    _function(least=2, most=None).check(7)
    _function().check(1)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1.5", 1.5),
        ("CAST(NULL AS DOUBLE)", None),
        ("1.0 / 0.0", None),
        ("CAST('NaN' AS DOUBLE)", None),
        ("1e308 * 10", None),
    ],
)
def test_what_is_not_finite_is_null(expression, value):
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {finite(expression)}").fetchone() == (value,)
