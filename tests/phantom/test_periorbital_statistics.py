from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monai_unlearn.phantom.periorbital_statistics import (
    IRIS_WIDTH,
    NAMES,
    SHIFTS,
    Condition,
    correlations,
    healthy_deviations,
    healthy_means,
    without_side,
)

DATA = os.environ.get("MONAI_UNLEARN_DATA")
NAMES_THERE = {"brow_height": "brow_h", "canthal_tilt": "canthal_tilt_deg"}
HALF_A_PIXEL = 0.02  # iris widths, which MRD1 is short of in the table


def test_the_correlations_are_possible():
    matrix = correlations()
    assert matrix.shape == (len(NAMES), len(NAMES))
    assert np.allclose(matrix, matrix.T)
    assert np.allclose(np.diag(matrix), 1)
    assert np.linalg.eigvalsh(matrix).min() > 0.01


def test_right_and_left_are_alike():
    means, deviations = healthy_means(), healthy_deviations()
    assert (means[:5] == means[5:10]).all()
    assert (deviations[:5] == deviations[5:10]).all()
    assert (correlations()[:5, :5] == correlations()[5:10, 5:10]).all()


def test_every_condition_has_its_shift():
    assert set(SHIFTS) == set(Condition)
    known = {without_side(name) for name in NAMES}
    assert all(set(shift.mean) | set(shift.own) <= known for shift in SHIFTS.values())
    assert SHIFTS[Condition.HEALTHY].mean == {}


@pytest.mark.skipif(DATA is None, reason="MONAI_UNLEARN_DATA does not name the folder of real data")
def test_they_are_those_of_the_annotated_faces():
    table = pd.read_csv(Path(DATA) / "periorbital_masks" / "measurements.csv")
    columns = list(NAMES)
    for ours, theirs in NAMES_THERE.items():
        columns = [column.replace(ours, theirs) for column in columns]
    there = table[columns].apply(lambda column: column.clip(*column.quantile([0.01, 0.99])))
    factors = np.array([1.0 if "tilt" in column else IRIS_WIDTH for column in columns])
    shifts = np.array([HALF_A_PIXEL if "mrd1" in column else 0.0 for column in columns])
    assert healthy_means() / factors == pytest.approx(there.mean().to_numpy() + shifts, rel=0.06)
    assert healthy_deviations() / factors == pytest.approx(there.std().to_numpy(), rel=0.06)
    assert correlations() == pytest.approx(there.corr().to_numpy(), abs=0.15)
    assert np.abs(correlations() - there.corr().to_numpy()).mean() < 0.03
