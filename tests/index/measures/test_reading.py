from __future__ import annotations

import pytest

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault, Target


@pytest.mark.parametrize("field", ["images", "series", "studies"])
def test_target_is_true_if_it_names_anything(field):
    assert Target(**{field: frozenset(["1.2"])})
    assert not Target()


def test_codes_are_unique_and_not_those_of_files():
    codes = [fault.code for fault in MeasureFault]
    assert len(set(codes)) == len(codes)
    assert not set(codes) & {fault.code for fault in Fault}


@pytest.mark.parametrize("fault", [MeasureFault.NO_SPACING, Fault.TRUNCATED])
def test_error_names_the_code_of_its_fault(fault):
    error = FaultyMeasuresError(fault)
    assert (str(error), error.fault) == (fault.code, fault)
