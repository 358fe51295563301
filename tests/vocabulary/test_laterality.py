from __future__ import annotations

import pytest

from monai_unlearn.vocabulary.laterality import Laterality, laterality_of, side_of


@pytest.mark.parametrize(
    ("word", "side"),
    [
        *(("R", "R"), ("r ", "R"), ("OD", "R"), ("o.d.", "R"), ("Right", "R"), ("RIGHT EYE", "R"), ("rechts", "R")),
        *(("L", "L"), ("l", "L"), ("OS", "L"), ("left", "L"), ("Left-Eye", "L"), ("links", "L"), ("LT", "L")),
        *(("B", "B"), ("OU", "B"), ("bilateral", "B"), ("both eyes", "B"), ("U", "U"), ("unpaired", "U")),
        *(("upper", None), ("X", None), ("", None), ("RL", None), ("?", None)),
    ],
)
def test_words_for_a_side(word, side):
    assert side_of(word) == side


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["L", None, None], "L"),
        ([None, "OS", "L"], "L"),
        (["B", None, None], "B"),
        ([None, None, None], None),
        (["", " ", None], None),
        (["U", None, None], None),
        (["R", "L", None], Laterality.CONTRADICTING),
        (["B", "L", None], Laterality.CONTRADICTING),
        (["U", "R", None], Laterality.CONTRADICTING),
        ([None, None, "R\\L"], Laterality.CONTRADICTING),
        ([None, None, "R\\OD"], "R"),
        (["up", "L", None], Laterality.INVALID),
    ],
)
def test_tags_together(values, expected):
    assert laterality_of(values) == expected
