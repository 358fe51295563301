from __future__ import annotations

import copy

from card_example import CLOSE, FULL, build, rich

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.cost import view

DIFF = rich()


def test_costs_stand_with_and_without_references():
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in view(DIFF)["table"].rows}
    assert rows["the revision alone"] == ["1", "100", "10.0 %"]
    assert rows["the revision with its 1 retrained network"] == ["11", "1,100", "110.0 %"]
    assert rows["retraining once"][1:] == ["1,000", "100.0 %"]


def test_what_a_predictor_trained_is_a_row_of_its_own():
    diff = copy.deepcopy(DIFF)
    diff["cost"]["proxies"] = 3
    assert "the revision with what its predictor trained" in [row[0].text for row in view(diff)["table"].rows]


def test_a_composition_costs_both_revisions():
    diff = copy.deepcopy(DIFF)
    diff["cost"]["parents"] = {"gradient_evaluations": 80, "seconds": 0.5}
    assert [row[0].text for row in view(diff)["table"].rows][:2] == [
        "the composition with both revisions",
        "the composition with both revisions and its 1 retrained network",
    ]


def test_without_references_the_page_says_so():
    assert "No model was retrained for this revision." in to_html(build(original=FULL, revised=CLOSE))


def test_revised_and_retrained_stand_side_by_side():
    row = view(DIFF)["networks"].rows[0]
    assert [cell.text for cell in row][:2] == ["forgotten images, never trained on", "Accuracy"]
    assert row[2].key == "/models/revised/forget/test/accuracy"
    assert row[3].text == "48.0–51.0 %"
