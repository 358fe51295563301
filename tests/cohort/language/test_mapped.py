from __future__ import annotations

from dataclasses import replace

import pytest

from monai_unlearn.cohort.language.condition import Comparison
from monai_unlearn.cohort.language.mapped import mapped
from monai_unlearn.cohort.language.node import Value
from monai_unlearn.cohort.language.parse import parse


def louder(condition):
    is_plain = isinstance(condition, Comparison)
    return replace(condition, value=Value(condition.value.text.upper())) if is_plain else condition


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a == x", "a == X"),
        ("not a == x", "not (a == X)"),
        ("a == x or (b == y and not c in [z])", "a == X or (b == Y and c not in [z])"),
        ("exists(a) and missing(b)", "exists(a) and missing(b)"),
    ],
)
def test_every_condition_is_replaced_and_nothing_else(text, wanted):
    assert str(mapped(parse(text), louder)) == wanted
