from __future__ import annotations

import json

from card_example import rich

from monai_unlearn.card.html.sections.appendix import view

DIFF = rich()


def test_every_row_of_metrics_is_there():
    found = view(DIFF)["table"].rows
    assert len(found) == len(DIFF["metrics"])
    row = next(one for one in found if [cell.text for cell in one[:4]] == ["Accuracy", "forget", "test", "all"])
    assert row[5].text == "90.0 % (82.6–94.5)"
    assert row[8].key == "/models/reference/forget/test/accuracy"


def test_metrics_that_are_no_shares_are_plain_numbers():
    found = next(row for row in view(DIFF)["table"].rows if row[0].text == "Log loss")
    assert "%" not in found[5].text


def test_settings_and_the_whole_document():
    found = view(DIFF)
    assert json.loads(found["settings"]) == {}
    assert json.loads(found["json"]) == json.loads(json.dumps(DIFF))
