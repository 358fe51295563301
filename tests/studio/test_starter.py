from __future__ import annotations

import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.language.condition import Comparison
from monai_unlearn.studio.starter import EMPTY, retire_device


@pytest.mark.parametrize(
    "device",
    ["Old", "Cirrus 800 FA", "a: b # c", "it's", '"x"', "[a]", "black and white", "null", "ä<b>", "- x", "9" * 99],
)
def test_any_device_gives_a_valid_spec_that_asks_for_it(device):
    spec = CohortSpec.parse(retire_device(device))
    (rule,) = spec.rules
    assert isinstance(rule, Comparison)
    assert rule.value.text == device
    assert spec.reason.value == "device_deprecation"


def test_control_characters_are_refused():
    with pytest.raises(ValueError, match="control characters"):
        retire_device("a\x1bb")


def test_the_empty_spec_says_what_is_missing():
    with pytest.raises(Exception, match="forget"):
        CohortSpec.parse(EMPTY)
