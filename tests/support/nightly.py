"""The mark of tests that take long, and whose subject shorter tests touch too: `make nightly` runs them."""

from __future__ import annotations

import os

import pytest

nightly = pytest.mark.skipif(
    os.environ.get("MONAI_UNLEARN_NIGHTLY") != "1", reason="takes long: make nightly sets MONAI_UNLEARN_NIGHTLY=1"
)
