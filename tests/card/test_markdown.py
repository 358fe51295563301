from __future__ import annotations

import pytest
from card_example import build

from monai_unlearn.card import to_markdown
from monai_unlearn.card.markdown import verdict

FULL = {"forget": 90, "remain": 90}
CLOSE = {"forget": 50, "remain": 88}
MODELS = {"original": FULL, "revised": CLOSE, "revised_recalibrated": CLOSE, "reference": CLOSE}


def test_rows_have_as_many_cells_as_their_headings():
    """Every row of a table has as many cells as its heading: a broken row hides a number."""
    lines = to_markdown(build(**MODELS)).splitlines()
    for number, line in enumerate(lines):
        if line.startswith("| --"):
            width = lines[number - 1].count("|")
            following = lines[number : next(i for i in range(number, len(lines)) if not lines[i].startswith("|"))]
            assert {row.replace("\\|", "").count("|") for row in following} == {width}


def test_numbers_come_with_their_intervals():
    text = to_markdown(build(**MODELS))
    row = next(line for line in text.splitlines() if line.startswith("| forget | test | all |"))
    assert "| 100 | 90.0 % (82.6–94.5) | 50.0 % (40.4–59.6) | 50.0 % (40.4–59.6) | 50.0 % (40.4–59.6) |" in row
    assert row.endswith("| undecided: too few images |")


@pytest.mark.parametrize(
    ("models", "sentences"),
    [
        (
            MODELS,
            ["**Accepted**", "Nothing measured here suggests that retraining", "the forgetting is in the weights."],
        ),
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
            [
                "**It is unknown whether retraining would have been the better choice.**",
                "keeps no BatchNorm statistics",
            ],
        ),
        (
            {"original": FULL, "revised": FULL, "revised_recalibrated": FULL},
            ["+0.0 points: no forgetting to test.", "not judged: no reference"],
        ),
    ],
)
def test_sentences_follow_from_the_numbers(models, sentences):
    text = to_markdown(build(**models))
    assert all(sentence in text for sentence in sentences)


def test_further_metrics_have_a_table_of_their_own():
    text = to_markdown(build(**MODELS))
    assert "- *Log loss*: the mean of −ln p" in text
    # 90 of 100 images at −ln 0.731 and 10 at −ln 0.269; then 50 and 50.
    row = next(line for line in text.splitlines() if line.startswith("| Log loss | forget | test |"))
    assert row.startswith("| Log loss | forget | test | 100 | 0.413 (0.353–0.473) | 0.813 (0.714–0.913) |")
    # Revised and reference are the same here: without any spread there is no interval of their difference.
    assert row.endswith("| +0.400 (+0.302 to +0.498) | not judged: no interval |")
    assert "| Log loss | forget | test | a |" not in text


def test_a_number_without_interval_has_no_brackets():
    diff = build(**MODELS)
    row = next(row for row in diff["metrics"] if row["key"] == "log_loss/remain/test/all")
    row["before"] = {"value": 0.25, "interval": None}
    row["change"] = {"value": -0.125, "interval": None}
    row["verdict"] = "no_interval"
    line = next(line for line in to_markdown(diff).splitlines() if line.startswith("| Log loss | remain | test |"))
    assert line.startswith("| Log loss | remain | test | 100 | 0.250 |")
    assert line.endswith("| -0.125 | not judged: no interval |")


def test_without_further_metrics_there_is_no_table_of_them():
    diff = build(**MODELS)
    diff["metrics"] = [row for row in diff["metrics"] if row["metric"] == "accuracy"]
    assert "Further metrics" not in to_markdown(diff)


def test_a_rejected_result_says_so_first():
    text = to_markdown(build(**MODELS, changes={"accepted": False, "warnings": ["mind the gap"]}))
    assert "**NOT ACCEPTED: nothing was promoted**" in text
    assert "- mind the gap" in text


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("matches_reference", "matches reference"),
        ("no_images", "no images"),
        ("no_interval", "not judged: no interval"),
        ("undecided", "undecided: too few images"),
    ],
)
def test_verdicts_are_written_out(word, expected):
    assert verdict(word) == expected


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
    assert "There are no forget images to measure it on." in text


def test_the_card_says_how_many_other_spellings_there_are():
    entry = {"field": "device", "value": "Bio|graph64", "spellings": 1, "images": 589}
    entry["not_caught"] = {"spellings": 1, "images": 589}
    text = to_markdown(build(cohort={"variants": [entry]}, **MODELS))
    words = "has 1 other spelling, in 589 images; it is not taken as equal. |"
    assert f"| Other spellings | “Bio\\|graph64” (device) {words}" in text
    assert "Other spellings" not in to_markdown(build(**MODELS))


def test_the_card_says_how_many_listed_values_occur():
    entry = {"list": "[… 3 values]", "field": "patient", "values": 3, "matched": 2, "absent": 1, "near": {"case": 0}}
    text = to_markdown(build(cohort={"value_lists": [entry, {**entry, "list": "@gone"}]}, **MODELS))
    words = "(patient) occur in the index; 1 is known to be absent. |"
    assert f"| Listed values | 2 of 3 values of \\[… 3 values\\] {words}" in text
    assert f"| Listed values | 2 of 3 values of @gone {words}" in text
    assert "Listed values" not in to_markdown(build(**MODELS))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"images": 0, "assumed": False, "why": "Unused."}, "0 images"),
        (
            {"images": 3, "assumed": False, "why": "Nobody\ncan | ask."},
            "3 images. Why they are left out: Nobody can \\| ask.",
        ),
        ({"images": 3, "assumed": True, "why": None}, "3 images at most: no training record names the training images"),
    ],
)
def test_the_card_counts_doubtful_images_that_were_trained_on(found, words):
    text = to_markdown(build(cohort={"doubtful_training": found}, **MODELS))
    assert f"| Undetermined or of doubtful identity, trained on and not forgotten | {words} |" in text
