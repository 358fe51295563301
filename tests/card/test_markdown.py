from __future__ import annotations

import pytest
from card_example import build

from monai_unlearn.card import to_markdown

FULL = {"forget": 90, "remain": 90}
CLOSE = {"forget": 50, "remain": 88}
MODELS = {"original": FULL, "revised": CLOSE, "revised_recalibrated": CLOSE, "reference": CLOSE}


def test_tables_are_whole():
    """Every row of a table has as many subsets as its heading: a broken row hides a number."""
    lines = to_markdown(build(**MODELS)).splitlines()
    for number, line in enumerate(lines):
        if line.startswith("| --"):
            width = lines[number - 1].count("|")
            following = lines[number : next(i for i in range(number, len(lines)) if not lines[i].startswith("|"))]
            assert {row.replace("\\|", "").count("|") for row in following} == {width}


def test_numbers_stand_with_their_intervals():
    text = to_markdown(build(**MODELS))
    row = next(line for line in text.splitlines() if line.startswith("| forget | test | all |"))
    assert "| 100 | 90.0 % (82.6–94.5) | 50.0 % (40.4–59.6) | 50.0 % (40.4–59.6) | 50.0 % (40.4–59.6) |" in row
    assert row.endswith("| undecided: too few images |")


@pytest.mark.parametrize(
    ("models", "sentences"),
    [
        (MODELS, ["**Accepted**", "Nothing measured here speaks for retraining", "it is in the weights."]),
        (
            {
                "original": FULL,
                "revised": {"forget": 5, "remain": 90},
                "revised_recalibrated": FULL,
                "reference": CLOSE,
            },
            ["**Retraining would have been the better choice.**", "**No: it is an artefact of BatchNorm statistics.**"],
        ),
        (
            {"original": FULL, "revised": FULL},
            ["**Whether retraining would have been the better choice is not known.**", "keeps no BatchNorm statistics"],
        ),
        (
            {"original": FULL, "revised": FULL, "revised_recalibrated": FULL},
            ["+0.0 points: no forgetting to test.", "not judged: no reference"],
        ),
    ],
)
def test_says_what_the_numbers_say(models, sentences):
    text = to_markdown(build(**models))
    assert all(sentence in text for sentence in sentences)


def test_a_rejected_result_says_so_first():
    text = to_markdown(build(**MODELS, changes={"accepted": False, "warnings": ["mind the gap"]}))
    assert "**NOT ACCEPTED: nothing was promoted**" in text
    assert "- mind the gap" in text


def test_a_hostile_spec_stays_text():
    text = to_markdown(build(**MODELS, cohort={"forget": "device == '<b>|x`\n# Accepted'"}))
    assert "device == '\\<b\\>\\|x\\` # Accepted'" in text


def test_a_part_without_images_is_a_dash():
    diff = build(**MODELS)
    diff["forgetting"] = {**diff["forgetting"], "change": None}
    row = diff["metrics"][0]
    row.update(n=0, change={"value": None, "interval": None})
    row["before"] = row["after"] = {"value": None, "interval": None}
    text = to_markdown(diff)
    assert "| 0 | – | – |" in text
    assert "There is no forget image to measure it on." in text
