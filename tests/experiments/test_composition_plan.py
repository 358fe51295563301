"""What needs no revision; that plans become settings is in `test_compose.py`."""

from __future__ import annotations

from monai_unlearn.experiments.composition_plan import is_plain


def test_plain_values_are_data_alone():
    assert is_plain({"a": [1, None, "text"], "b": {"c": 0.5}})
    assert not any(map(is_plain, ("%x", {"a": {"_mode_": "callable"}}, ["a", "$b"])))
