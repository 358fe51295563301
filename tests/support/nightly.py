"""The mark of tests that take long, and whose subject shorter tests touch too: `make nightly` runs them."""

from __future__ import annotations

import os

import pytest

NIGHTLY = os.environ.get("MONAI_UNLEARN_NIGHTLY") == "1"
nightly = pytest.mark.skipif(not NIGHTLY, reason="takes long: make nightly sets MONAI_UNLEARN_NIGHTLY=1")
