from __future__ import annotations

import pytest

from monai_unlearn.card.wording import (
    choice,
    difference,
    doubtful,
    estimate,
    judged,
    measure,
    networks_range,
    number,
    points,
    share,
    subset_words,
    title,
)


def test_estimates_with_and_without_interval():
    assert estimate({"value": 0.875, "interval": [0.801, 0.924]}) == "87.5 % (80.1–92.4)"
    assert estimate({"value": 0.412, "interval": [0.38, 0.444]}, percent=False) == "0.412 (0.380–0.444)"
    assert estimate({"value": 0.25, "interval": None}, percent=False) == "0.250"
    assert estimate(None) == estimate({"value": None, "interval": None}) == "–"


def test_differences_in_points_or_plain():
    assert difference({"value": -0.031, "interval": [-0.09, 0.029]}) == "-3.1 (-9.0 to +2.9)"
    assert difference({"value": 0.4, "interval": None}, percent=False) == "+0.400"
    assert difference({"value": None, "interval": None}) == "–"


def test_figures_of_endpoints():
    assert (share(0.125), share(None), points(0.031), points(None)) == ("12.5 %", "–", "3.1", "–")
    row = {"d": 0.012, "interval": [-0.034, 0.058], "measure": "false_negatives", "predicted": None, "fault": None}
    assert judged(row) == "+1.2 (-3.4 to +5.8)"
    assert judged({**row, "d": None, "fault": "there is none"}) == "not judged: there is none"
    assert measure(row) == "false negatives"
    assert measure({**row, "measure": "mean_probability", "predicted": "sick"}) == "probability of sick"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (4022, "4,022"), (9.048, "9.048"), (9680.0, "9,680"), (0.5, "0.5")]
)
def test_plain_numbers(value, text):
    assert number(value) == text


def test_ranges_of_networks():
    assert networks_range([{"value": 0.5}, {"value": 0.5}]) == "50.0 %"
    assert networks_range([{"value": 0.01}, {"value": 0.02}], percent=False) == "0.010–0.020"
    assert networks_range([{"value": None}]) == "–"


def test_names_for_people():
    assert (title("log_loss"), title("auroc")) == ("Log loss", "AUROC")
    assert subset_words("remain_test") == "other images, never trained on"
    assert subset_words("all") == "all"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"images": 0, "assumed": False, "why": "Unused."}, "0 images"),
        ({"images": 3, "assumed": False, "why": "Nobody asks."}, "3 images. Why they are left out: Nobody asks."),
        (
            {"images": 3, "assumed": True, "why": None},
            "3 images at most: no training record names the training images",
        ),
    ],
)
def test_doubtful_images(found, words):
    assert doubtful(found) == words


def test_the_method_is_named_with_who_chose_it():
    assert choice({"name": "psg", "chosen_by": "user", "ground": "the user chose it"}) == "psg; the user chose it"
    chosen = {"name": "reset", "chosen_by": "default", "ground": "reset of the head, because it is so"}
    assert choice(chosen) == "reset; by default, reset of the head, because it is so"
