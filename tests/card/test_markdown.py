from __future__ import annotations

import pytest
from card_example import build
from decision_example import binary, decision, everywhere, table

from monai_unlearn.card import to_markdown
from monai_unlearn.card.markdown import judged, measure, points, share
from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.decision.target import PredictedTarget

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
    assert row.endswith("| -40.0 (-50.6 to -27.8) |")


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        (MODELS, "the forgetting is in the weights."),
        (
            {"original": FULL, "revised": {"forget": 5, "remain": 90}, "revised_recalibrated": FULL},
            "**No: it is an artefact of BatchNorm statistics.**",
        ),
        ({"original": FULL, "revised": FULL}, "keeps no BatchNorm statistics"),
        ({"original": FULL, "revised": FULL, "revised_recalibrated": FULL}, "+0.0 points: no forgetting to test."),
    ],
)
def test_sentences_follow_from_the_numbers(models, sentence):
    assert sentence in to_markdown(build(**models))


def test_the_verdict_stands_first_with_why_and_needs():
    diff = build(original=FULL, revised=CLOSE)
    lines = [line for line in to_markdown(diff).splitlines() if line]
    assert lines[1:4] == [
        "**not_known: there is nothing to compare with.**",
        "Nothing was promoted: do not deploy this bundle.",
        "- There is no network retrained without the cohort: it is unknown whether the revised one behaves as such.",
    ]
    assert lines[4] == "What would decide:"
    assert lines[5].startswith("- Networks retrained without the cohort, from 3 seeds on: --reference retrain")
    assert "ccepted" not in to_markdown(diff)


def test_wider_margins_stand_in_the_line_of_the_verdict():
    wide = {"endpoints": [{"subset": "forget_test", "margin": 0.5}, {"subset": "remain_test", "margin": 0.9}]}
    text = to_markdown(build(original=FULL, revised=CLOSE, reference={"forget": 49, "remain": 88}, decision=wide))
    line = text.splitlines()[2]
    assert line.startswith("**target_undetermined: ")
    assert "The margin of mean_probability on forget test is 50 points, wider than the default 10." in line
    # They are not told again among the warnings.
    assert text.count("wider than the default 10") == 1


def three(forget=50):
    """Three retrained networks, all different by an image."""
    return {
        name: {"forget": forget + more, "remain": 88}
        for name, more in (("reference", -1), ("reference_2", 0), ("reference_3", 1))
    }


def test_every_endpoint_is_a_row_by_subset_and_class():
    text = to_markdown(build(original=FULL, revised=CLOSE, **three()))
    part = text[text.index("## What was judged") : text.index("## What was changed")]
    rows = [line.split(" | ") for line in part.splitlines() if line.startswith("| forget train | a ")]
    assert rows[0][:3] == ["| forget train", "a", "probability of a"]
    assert rows[0][6:8] == ["10", "50"]
    assert float(rows[0][8]) > 0
    assert "Guards look for what endpoints can miss:" in part


def test_guards_that_do_not_object_are_only_counted():
    diff = build(original=FULL, revised=CLOSE, **three())
    for row in diff["decision"]["endpoints"]:
        if row["guard"]:
            row["status"] = "clear"
    text = to_markdown(diff)
    assert "of which 0 object.\n" in text
    assert "| false negatives |" not in text
    next(row for row in diff["decision"]["endpoints"] if row["guard"])["status"] = "blocks"
    assert "of which 1 object:\n" in to_markdown(diff)


def test_other_seeds_are_named_with_their_verdicts():
    diff = build(original=FULL, revised=CLOSE, **three())
    networks = [{"name": "revised", "verdict": "equivalent"}, {"name": "repeat-1", "verdict": "different"}]
    diff["decision"]["spread"] = {"networks": networks, "endpoints": []}
    assert "which the verdict does not use: revised equivalent, repeat-1 different." in to_markdown(diff)


def test_notes_on_the_evidence_are_warnings():
    text = to_markdown(build(original=FULL, revised=CLOSE, **three(), recorded=False))
    assert "- reference does not count: no training record says that it never saw the forget part." in text


def test_figures_of_endpoints():
    assert (share(0.125), share(None), points(0.031), points(None)) == ("12.5 %", "–", "3.1", "–")
    row = {"d": 0.012, "interval": [-0.034, 0.058], "measure": "false_negatives", "predicted": None, "fault": None}
    assert judged(row) == "+1.2 (-3.4 to +5.8)"
    assert judged({**row, "d": None, "fault": "there | is none"}) == "not judged: there \\| is none"
    assert measure(row) == "false negatives"
    assert measure({**row, "measure": "mean_probability", "predicted": "sick"}) == "probability of sick"


def test_further_metrics_have_a_table_of_their_own():
    text = to_markdown(build(**MODELS))
    assert "- *Log loss*: the mean of −ln p" in text
    # 90 of 100 images at −ln 0.731 and 10 at −ln 0.269; then 50 and 50.
    row = next(line for line in text.splitlines() if line.startswith("| Log loss | forget | test |"))
    assert row.startswith("| Log loss | forget | test | 100 | 0.413 (0.353–0.473) | 0.813 (0.714–0.913) |")
    assert row.endswith("| +0.400 (+0.302 to +0.498) |")
    assert "| Log loss | forget | test | a |" not in text


def test_a_number_without_interval_has_no_brackets():
    diff = build(**MODELS)
    row = next(row for row in diff["metrics"] if row["key"] == "log_loss/remain/test/all")
    row["before"] = {"value": 0.25, "interval": None}
    row["change"] = {"value": -0.125, "interval": None}
    line = next(line for line in to_markdown(diff).splitlines() if line.startswith("| Log loss | remain | test |"))
    assert line.startswith("| Log loss | remain | test | 100 | 0.250 |")
    assert line.endswith("| -0.125 |")


def test_without_further_metrics_there_is_no_table_of_them():
    diff = build(**MODELS)
    diff["metrics"] = [row for row in diff["metrics"] if row["metric"] == "accuracy"]
    assert "Further metrics" not in to_markdown(diff)


def test_warnings_of_the_run_are_shown():
    assert "- mind the gap" in to_markdown(build(**MODELS, changes={"warnings": ["mind the gap"]}))


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


def predicted(target):
    """A difference of a run that a predicted target decided, as `metrics.json` holds it."""
    good = everywhere(binary(0.8, 0.8))
    shares = {"original": everywhere(binary(0.99, 0.99)), "revised": good, "proxy-0": good}
    found = decide(decision(), table(shares, patients=60), target=target)
    return to_markdown(build(original=FULL, revised=CLOSE, changes=found.to_metrics()))


def test_a_predicted_target_is_named_with_its_error():
    errors = {("forget_train", "sick"): 0.04, ("forget_test", "sick"): 0.02}
    text = predicted(PredictedTarget(name="half_width", kind="rows", proxies=3, cohorts=7, errors=errors))
    assert "*Target* is what half_width predicts on the forget part, in place of retrained networks" in text
    assert "The measured error of half_width, the largest over 7 rehearsal cohorts, in points:" in text
    assert "| forget train | sick | 4.0 |" in text


def test_never_trained_is_held_against_chance():
    text = predicted(PredictedTarget(name="never_trained", kind="never_trained", counterparts=("remain",)))
    assert "*Target* is chance for the AUC" in text
    assert "measured error" not in text
