from __future__ import annotations

import duckdb
import pytest

from monai_unlearn.cohort.language.functions.numbers import NUMBERS

SQL = {function.name: function.sql for function in NUMBERS}


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("mean", ["1.0", "2.0", "6.0"], 3),
        ("min", ["2.0", "-1.0", "3.0"], -1),
        ("max", ["2.0", "-1.0", "3.0"], 3),
        ("abs", ["-2.5"], 2.5),
        ("mean", ["1.0", "NULL"], None),
        ("min", ["1.0", "NULL"], None),
        ("max", ["NULL", "1.0"], None),
        ("abs", ["CAST(NULL AS DOUBLE)"], None),
    ],
)
def test_the_result_is_missing_as_soon_as_an_argument_is(name, arguments, value):
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {SQL[name](arguments)}").fetchone() == (value,)


def test_results_keep_the_unit_of_the_arguments():
    assert all(function.keeps_unit for function in NUMBERS)
