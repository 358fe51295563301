from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import monai_unlearn
from monai_unlearn.cohort.resolve.cohort import Membership
from monai_unlearn.vocabulary.parts import PARTS, SPLITS

PACKAGE = Path(monai_unlearn.__file__).parent


def test_a_cohort_has_these_parts_in_this_order():
    mask = np.array([True])
    assert tuple(name for name, _ in Membership(mask, ~mask, ~mask).items()) == PARTS


@pytest.mark.parametrize("words", [PARTS, SPLITS], ids=["parts", "splits"])
def test_the_list_is_written_once(words):
    pattern = re.compile(r",\s*".join(f"[\"']{word}[\"']" for word in words))
    found = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if pattern.search(path.read_text())}
    assert found == {"vocabulary/parts.py"}
