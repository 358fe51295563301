from __future__ import annotations

import pytest

from monai_unlearn.experiments.overlay.chosen_output import choose_output


def outputs(*shapes, names=(None,)):
    return [{"name": name, "shape": shape} for name, shape in zip(names, shapes, strict=True)]


def chosen(found, expected=None, wanted=None):
    return choose_output(found, expected=expected, wanted=wanted)


@pytest.mark.parametrize(
    ("found", "expected", "count", "name", "codes"),
    [
        (outputs([1, 4]), None, 4, None, []),
        (outputs([1, 3]), 4, 3, None, []),
        (outputs([1, 4, 8, 8]), 4, None, None, []),
        (outputs([1, 4], names=(0,)), 4, 4, "0", []),
        (outputs([1, 64], [1, 4], names=(0, 1)), 4, 4, "1", ["output"]),
        (outputs([1, 4], [1, 9], names=("logits", "features")), 4, 4, "logits", ["output"]),
        (outputs([1, 4], [1, 4], names=("aux", "out")), 4, 4, "out", ["output"]),
        (outputs([1, 4], [1, 4], names=("aux", "logits")), 4, 4, "logits", ["output"]),
        (outputs([1, 4], [1, 4], names=("aux", "main")), 4, None, None, ["several_outputs"]),
        (outputs([1, 4], [1, 4], names=(0, 1)), 4, None, None, ["several_outputs"]),
        (outputs([1, 64], [1, 4], names=(0, 1)), None, None, None, ["several_outputs"]),
    ],
)
def test_an_output_is_chosen_where_only_one_can_be_meant(found, expected, count, name, codes):
    made = chosen(found, expected)
    assert (made.count, made.name, [one.code for one in made.findings]) == (count, name, codes)


@pytest.mark.parametrize(
    ("activation", "code", "stops"),
    [("softmax", "activated", True), ("sigmoid", "activated", True), ("unknown", "maybe_activated", False)],
)
def test_outputs_that_are_no_logits(activation, code, stops):
    (one,) = chosen([{"name": None, "shape": [1, 4], "activation": activation}]).findings
    assert (one.code, one.stops) == (code, stops)


def test_the_user_says_which():
    found = outputs([1, 4], [1, 4], [1, 4, 8], names=(0, 1, 2))
    made = chosen(found, 4, "1")
    assert (made.count, made.name, made.findings) == (4, "1", ())
    for wanted in ("2", "main"):
        (one,) = chosen(found, 4, wanted).findings
        assert one.stops
        assert "the network returns 0 of shape (1, 4), 1 of shape (1, 4), 2 of shape (1, 4, 8)" in one.what
