from __future__ import annotations

import pytest

from monai_unlearn.vocabulary.config_ids import closure, references, value_at

NETWORK = {"classes": "$len(@names)", "sizes": [1, {"low": 2}]}
CONFIG = {"net": NETWORK, "names": ["a"], "loop": "@again", "again": "@loop"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("net::sizes::0", 1), ("net#sizes#1::low", 2), ("net::sizes::2", None), ("net::sizes::low", None), ("no", None)],
)
def test_an_id_is_found_by_either_separator(name, expected):
    assert value_at(CONFIG, name) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("@a", ["a"]),
        ("%a::b", ["a::b"]),
        ("$@a#b + len(@c)", ["a::b", "c"]),
        ({"x": ["@a", None], "y": 3}, ["a"]),
        ("$torch.eye(2) @ x", []),
        ("$m[0]@x", []),
        ("someone@example.org", []),
        ("50 % a", []),
    ],
)
def test_references_are_found_in_texts_and_nothing_else_is(value, expected):
    assert list(references(value)) == expected


def test_what_values_refer_to_through_one_another_is_found_once():
    assert closure(CONFIG, "@net", {"of": "@loop"}) == CONFIG
    assert closure({**CONFIG, "other": 1}, "@net") == {"net": NETWORK, "names": ["a"]}
    assert closure(CONFIG, "@missing") == {}
