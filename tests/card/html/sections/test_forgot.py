from __future__ import annotations

import copy

from card_example import CLOSE, FULL, build, rich

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.forgot import view

DIFF = rich()


def test_a_row_for_each_class_of_forgotten_images():
    rows = view(DIFF)["table"].rows
    assert [(row[0].text, row[1].text) for row in rows] == [
        (name, words)
        for words in ("forgotten images, trained on", "forgotten images, never trained on")
        for name in ("a", "b")
    ]
    assert rows[0][4].key == "/true_class/0/networks/1/value"
    assert view(DIFF)["table"].headings[3:8] == ("original", "revised", "retrained 1", "retrained 2", "retrained 3")


def test_the_margin_is_shaded_around_the_target():
    row = DIFF["true_class"][0]
    low, high = (100 * (row["target"] + side * row["margin"]) for side in (-1, 1))
    assert f"allowed are {low:.0f} to {high:.0f} %" in view(DIFF)["plot"]
    assert view(DIFF)["is_shaded"]


def test_without_retrained_networks_nothing_is_shaded():
    found = view(build(original=FULL, revised=CLOSE))
    assert not found["is_shaded"]
    assert "No model was retrained" in to_html(build(original=FULL, revised=CLOSE))


def test_erasing_is_shaded_up_to_the_limit():
    diff = copy.deepcopy(DIFF)
    diff["decision"]["declared"].update(objective="erase", limit=0.5)
    assert "allowed are 0 to 50 %" in view(diff)["plot"]
    assert "no more than 50.0 % of them" in to_html(diff)


def test_what_was_forgotten_earlier_is_shown_too():
    diff = copy.deepcopy(DIFF)
    diff["true_class"].append({**diff["true_class"][0], "subset": "earlier:0.2.0_train"})
    assert "images forgotten earlier (0.2.0), train" in view(diff)["plot"]


def test_without_forgotten_images_there_is_no_plot():
    assert view({**DIFF, "true_class": []})["plot"] is None
    assert "There are no forgotten images to measure it on." in to_html({**DIFF, "true_class": []})
