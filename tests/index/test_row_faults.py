from __future__ import annotations

import pyarrow as pa
import pytest

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.row_faults import has_fault, with_fault, without_fault


@pytest.fixture
def rows():
    faults = pa.array([None, "truncated", "invalid_date"], pa.string())
    return pa.table({"fault": faults, "faults": faults, "n": [1, 2, 3]})


def test_fault_is_added_to_the_given_rows_in_its_order(rows):
    found = with_fault(rows, pa.array([True, True, True]), Fault.MISSING_PATIENT_ID)
    assert found["fault"].to_pylist() == ["missing_patient_id", "truncated", "missing_patient_id"]
    assert found["faults"].to_pylist()[1:] == ["truncated\\missing_patient_id", "missing_patient_id\\invalid_date"]
    assert with_fault(rows, pa.array([False] * 3), Fault.UNREADABLE) is rows
    assert found["n"].to_pylist() == [1, 2, 3]


def test_fault_is_taken_away_from_the_given_rows(rows):
    both = with_fault(rows, pa.array([True, True, False]), Fault.DERIVED_OBJECT)
    assert both["fault"].to_pylist() == ["derived_object", "derived_object", "invalid_date"]
    assert without_fault(both, pa.array([True] * 3), Fault.DERIVED_OBJECT).equals(rows)


def test_row_has_a_fault_whatever_else_it_has(rows):
    both = with_fault(rows, pa.array([True, True, False]), Fault.DERIVED_OBJECT)
    assert has_fault(both, Fault.DERIVED_OBJECT).to_pylist() == [True, True, False]
    assert has_fault(both, Fault.TRUNCATED).to_pylist() == [False, True, False]
