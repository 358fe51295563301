"""One phantom slice, drawn once for all tests that report on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monai_unlearn.phantom import write_mri_studies

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def image(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("mri") / "studies"
    write_mri_studies(out, patients=1, size=32, slices=1)
    return next(out.rglob("*.dcm"))
