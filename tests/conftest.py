"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("push", max_examples=500, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "push"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests that need it are skipped without it."""
    folder = os.environ.get("MONAI_UNLEARN_DATA")
    if not folder:
        pytest.skip("MONAI_UNLEARN_DATA is not set: real data are not at hand")
    return Path(folder)
