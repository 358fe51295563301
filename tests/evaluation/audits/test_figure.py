from __future__ import annotations

import math

import pytest

from monai_unlearn.evaluation.audits.figure import Figure, Finding, Row, not_measurable


def row(revised, *retrained):
    return Row(
        measure="auc_loss",
        subset="forget_train",
        revised=Figure(value=revised),
        retrained=tuple(Figure(value=one) for one in retrained),
    )


@pytest.mark.parametrize(
    ("revised", "place"), [(0.4, "below"), (0.5, "within"), (0.55, "within"), (0.6, "within"), (0.61, "above")]
)
def test_the_revised_value_stands_beside_the_range_of_the_retrained_ones(revised, place):
    found = row(revised, 0.5, 0.6, math.nan)
    assert found.range == (0.5, 0.6)
    assert found.place == place
    assert found.to_dict()["retrained_range"] == [0.5, 0.6]


@pytest.mark.parametrize("found", [row(0.5), row(0.5, 0.4), row(None, 0.4, 0.6), row(math.nan, 0.4, 0.6)])
def test_without_two_retrained_values_or_a_revised_one_it_lies_nowhere(found):
    assert found.place is None
    assert found.to_dict()["place"] is None


def test_what_is_not_finite_is_not_measured():
    assert Figure(value=math.nan, interval=(0, 1)).to_dict() == {"value": None, "interval": None}
    assert Figure(value=1.0, interval=(0, math.inf)).to_dict() == {"value": 1.0, "interval": None}


def test_a_finding_says_why_it_has_no_figure():
    found = not_measurable("There are no images.").to_dict()
    assert found == {"status": "not_measurable", "why": "There are no images.", "facts": {}, "rows": []}
    assert Finding(rows=(row(0.5),)).to_dict()["status"] == "measured"
