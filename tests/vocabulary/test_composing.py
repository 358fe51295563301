from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.vocabulary.composing import check_composition


@pytest.mark.parametrize(
    "given",
    [
        {"by": "splice"},
        {"by": "splice", "classifier": "last_block"},
        {"by": "splice", "classifier": 2},
        {"by": "linear", "weight": 0},
        {"by": "task_vectors", "weight": 1.0},
        {"by": "ensemble", "weight": "auto"},
    ],
)
def test_what_can_be_composed_is_taken(given):
    check_composition(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"by": "average"}, "by: expected one of"),
        ({"by": "splice", "classifier": "all"}, "all is the whole network"),
        ({"by": "linear", "weight": 1.1}, r"in \[0, 1\], or auto, got 1.1"),
        ({"by": "linear", "weight": float("nan")}, "got nan"),
        ({"by": "linear", "weight": True}, "got True"),
        ({"by": "linear", "weight": "half"}, "got half"),
        ({"by": "splice", "weight": 0.5}, "a splice has no coefficient"),
        ({"by": "linear", "classifier": "last_block"}, "only a splice is cut"),
    ],
)
def test_what_cannot_is_refused(given, words):
    with pytest.raises(ConfigError, match=words):
        check_composition(**given)
