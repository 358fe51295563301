"""Whatever is changed in a release or a ledger is named, and never accepted; what is untouched always passes.

Five hundred such changes: `python benchmarks/tampering.py`.
"""

from __future__ import annotations

import random
import shutil

import pytest
from tampering import KINDS, Place, make_place

CHANGES = 3 * len(KINDS)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("template") / "place")


@pytest.fixture
def place(template, tmp_path):
    shutil.copytree(template.root, tmp_path / "place", symlinks=True)
    return Place(tmp_path / "place")


def test_what_is_untouched_passes(place):
    assert place.found() == (0, [], 0, [])


@pytest.mark.parametrize("seed", range(CHANGES))
def test_every_change_is_named(seed, place):
    kind = sorted(KINDS)[seed % len(KINDS)]
    beginnings = KINDS[kind](place, random.Random(seed))  # noqa: S311 - no secret
    code, said, ledger_code, ledger_said = place.found()
    assert (ledger_code if kind.startswith("ledger") else code) in {3, 4, 5}, kind
    lines = ledger_said if kind.startswith("ledger") else said
    assert any(line.startswith(one) for line in lines for one in beginnings), (kind, beginnings, lines)
