"""Slices of a small CT series, for segmentations and reports."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import measure_files
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataset import FileDataset


@pytest.fixture
def make_slices(dataset) -> Callable[..., list[FileDataset]]:
    """Make the slices of a CT series in memory, as in `measure_files.make_slices`."""
    return partial(measure_files.make_slices, dataset)
