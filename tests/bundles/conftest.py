"""A copy of each bundle, and a revision of each, once for all tests."""

from __future__ import annotations

import pytest
from bundle_walk import BUNDLES, Walked, copied, revised

MADE = [(make, bundle) for make in (copied, revised) for bundle in BUNDLES]


@pytest.fixture(scope="session", params=MADE, ids=lambda made: f"{made[0].__name__} {made[1].name}")
def walked(request, tmp_path_factory) -> Walked:
    make, bundle = request.param
    return make(bundle, tmp_path_factory.mktemp(bundle.name))
