from __future__ import annotations

import pytest

from monai_unlearn.vocabulary.counted import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 values"), (1, "1 value"), (2, "2 values"), (1000, "1,000 values"), ("…", "… values")]
)
def test_only_a_count_of_one_is_singular(count, text):
    assert counted(count, "value") == text


def test_what_follows_agrees_with_the_count():
    said = [counted(count, "series is left", "series are left") for count in (1, 2, "hidden")]
    assert said == ["1 series is left", "2 series are left", "hidden series are left"]
