"""The same rows count as images, whichever library asks."""

from __future__ import annotations

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from monai_unlearn.index import is_usable, usable_array, usable_mask, usable_sql
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.usable import counted_faults

CODES = [None, *(fault.code for fault in Fault), "a_code_of_a_later_version"]
EXPECTED = [True, *(fault.usable for fault in Fault), False]


def test_code():
    assert [is_usable(code) for code in CODES] == EXPECTED


@pytest.mark.parametrize("dtype", ["string", "object"])
def test_frame(dtype):
    assert usable_mask(pd.DataFrame({"fault": pd.array(CODES, dtype)})).tolist() == EXPECTED


def test_arrow():
    assert usable_array(pa.chunked_array([CODES[:4], CODES[4:]], pa.string())).to_pylist() == EXPECTED


def test_sql():
    condition, parameters = usable_sql()
    rows = pa.table({"fault": pa.array(CODES, pa.string())})
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        kept = connection.execute(f"select fault from rows where {condition}", parameters).fetchall()  # noqa: S608 - what is tested
    assert {code for (code,) in kept} == {code for code, keeps in zip(CODES, EXPECTED, strict=True) if keeps}


def test_notes_are_counted_of_images_alone():
    assert counted_faults("invalid_uid\\implausible_age") == ["invalid_uid", "implausible_age"]
    assert counted_faults("derived_object\\truncated\\implausible_age") == ["derived_object", "truncated"]
    assert counted_faults("a_code_of_a_later_version\\implausible_age") == ["a_code_of_a_later_version"]
