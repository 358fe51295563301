from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from decision_example import binary, everywhere, table

from monai_unlearn.evaluation.slices import slice_columns, slice_rows

ROWS = pd.DataFrame(
    {
        "PatientSex": ["M", "F", "O", None, "unknown"],
        "PatientAge": [0.5, 17.99, 18.0, 79.0, 101.0],
        "ManufacturerModelName": ["A", None, "B", "A", "A"],
        "InstitutionName": ["North", "South", None, "North", "South"],
        "AcquisitionDate": ["2017-03-04", None, None, "20180102", None],
        "StudyDate": ["2016-01-01", "2019-05-06", None, "2016-01-01", None],
    },
    index=[7, 3, 5, 9, 1],
)


def test_bands():
    found = slice_columns(ROWS)
    assert list(found.index) == [7, 3, 5, 9, 1]
    assert found.to_dict("list") == {
        "slice:sex": ["M", "F", "O", None, None],
        "slice:age_band": ["0-17", "0-17", "18-39", "60-79", "80+"],
        "slice:device": ["A", None, "B", "A", "A"],
        "slice:site": ["North", "South", None, "North", "South"],
        "slice:year": ["2017", "2019", None, "2018", None],
    }


def test_columns_of_tables_and_real_dates():
    rows = pd.DataFrame(
        {
            "sex": ["F", None],
            "PatientSex": ["M", "M"],
            "acquired": pd.to_datetime(["2020-02-03", None]),
            "age": ["45", "x"],
        }
    )
    assert slice_columns(rows).to_dict("list") == {
        "slice:sex": ["F", "M"],
        "slice:age_band": ["40-59", None],
        "slice:year": ["2020", None],
    }


def test_an_index_without_such_columns_has_no_slices():
    found = slice_columns(pd.DataFrame({"image_id": ["a", "b"]}))
    assert found.shape == (2, 0)


def test_rows_of_each_value():
    shares = everywhere(binary(0.9, 0.9))
    found = table({"original": shares, "revised": shares}, patients={"forget_test": {"sick": 5}})
    sliced = replace(found, frame=found.frame.assign(**{"slice:sex": ["M", "F", "M", None, "F"]}))
    rows = slice_rows(sliced, "sex")
    assert list(rows) == ["F", "M"]
    assert np.array_equal(rows["M"], [0, 2])
    with pytest.raises(KeyError):
        slice_rows(sliced, "device")
