from __future__ import annotations

import pandas as pd
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.measures.columns import Columns
from monai_unlearn.index.measures.reading import Measure

LIKE = pd.DataFrame({"path": ["a", "b", "c"]}, index=[4, 5, 6])


def _values(columns: Columns, name: str) -> list:
    return columns.frame(LIKE)[name].tolist()


def test_column_has_the_unit_of_its_first_value_and_all_its_origins():
    columns = Columns()
    assert columns.add(Measure("width", 1.5, "cm"), {0}, "SR") == []
    assert columns.add(Measure("width", 12.0, "mm"), {2}, "mask:m") == []
    assert _values(columns, "width") == [1.5, pd.NA, pytest.approx(1.2)]
    assert columns.units == {"width": "cm"}
    assert columns.origins == {"width": "SR, mask:m"}
    assert columns.frame(LIKE).index.tolist() == [4, 5, 6]
    assert str(columns.frame(LIKE)["width"].dtype) == "Float64"


def test_values_that_agree_are_one():
    columns = Columns()
    for value, unit in ((1.1, "cm"), (11.0, "mm"), (0.1 + 1.0, "cm")):
        assert columns.add(Measure("width", value, unit), {0}, "SR") == []
    assert _values(columns, "width")[0] == 1.1


def test_values_that_differ_are_missing_for_good():
    columns = Columns()
    columns.add(Measure("width", 1.0, "mm"), {0, 1}, "SR")
    assert columns.add(Measure("width", 2.0, "mm"), {1}, "SR") == [1]
    assert columns.add(Measure("width", 1.0, "mm"), {1}, "SR") == []
    assert _values(columns, "width") == [1.0, pd.NA, pd.NA]


def test_missing_value_makes_a_column_and_contradicts_nothing():
    columns = Columns()
    columns.add(Measure("x", None, "mm"), {0}, "SR")
    columns.add(Measure("x", 3.0, "mm"), {0}, "SR")
    columns.add(Measure("y", None, "1"), {0}, "SR")
    assert _values(columns, "x") == [3.0, pd.NA, pd.NA]
    assert _values(columns, "y") == [pd.NA] * 3


def test_unit_of_another_quantity_is_an_error():
    columns = Columns()
    columns.add(Measure("width", 1.0, "mm"), {0}, "SR")
    with pytest.raises(IndexReadError, match="'width' is in ml in one file and in mm in another"):
        columns.add(Measure("width", 1.0, "ml"), {0}, "SR")
