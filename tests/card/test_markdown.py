from __future__ import annotations

from card_example import CLOSE, FULL, RETRAINED, build, rich
from decision_example import binary, decision, everywhere, table

from monai_unlearn.card import to_markdown
from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.decision.target import PredictedTarget

MODELS = {"original": FULL, "revised": CLOSE, "revised_recalibrated": CLOSE, **RETRAINED}


def test_rows_have_as_many_cells_as_their_headings():
    """Every row of a table has as many cells as its heading: a broken row hides a number."""
    lines = to_markdown(rich()).splitlines()
    for number, line in enumerate(lines):
        if line.startswith("| --"):
            width = lines[number - 1].count("|")
            following = lines[number : next(i for i in range(number, len(lines)) if not lines[i].startswith("|"))]
            assert {row.replace("\\|", "").count("|") for row in following} == {width}


def test_it_is_short_what_to_do_three_tables_and_a_link():
    text = to_markdown(build(**MODELS))
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "# Some 1.0.0 → 1.1.0"
    assert lines[1].startswith("**Not known: do not deploy yet.** ")
    assert sum(line.startswith("| ---") for line in lines) == 3
    assert lines[-1].endswith("[model_card_diff.html](model_card_diff.html).")
    assert "Forgotten: 10 images of 10 patients, device deprecation: device == Old." in text
    assert "Method: psg; the user chose it." in text


def test_numbers_come_with_their_intervals_and_their_keys():
    text = to_markdown(build(**MODELS))
    row = next(line for line in text.splitlines() if line.startswith("| Accuracy | all |"))
    assert row.startswith("| Accuracy | all | 100 | 90.0 % (82.6–94.5) | 88.0 % (80.2–93.0) | -2.0 (")
    assert row.endswith("| accuracy/remain/test/all |")
    row = next(line for line in text.splitlines() if "true_class/forget_test/a |" in line)
    assert row.startswith("| forgotten images, never trained on | a | 50 | 6")


def test_the_verdict_stands_first_with_why_and_needs():
    diff = build(original=FULL, revised=CLOSE)
    lines = [line for line in to_markdown(diff).splitlines() if line]
    assert lines[2:5] == [
        "not_known: there is nothing to compare with.",
        "- There is no network retrained without the cohort: it is unknown whether the revised one behaves as such.",
        "What would decide:",
    ]
    assert lines[5].startswith("- Networks retrained without the cohort, from 3 seeds on: --reference retrain")
    assert "ccepted" not in to_markdown(diff)


def test_wider_margins_stand_in_the_line_of_the_verdict():
    wide = {"endpoints": [{"subset": "forget_test", "margin": 0.5}, {"subset": "remain_test", "margin": 0.9}]}
    text = to_markdown(build(original=FULL, revised=CLOSE, reference={"forget": 49, "remain": 88}, decision=wide))
    assert "\ntarget_undetermined: " in text
    # They are not told again among the warnings.
    assert text.count("The margin of mean_probability on forget test is 50 points, wider than the default 10") == 1


def test_guards_are_shown_where_they_object():
    diff = build(**MODELS)
    for row in diff["decision"]["endpoints"]:
        if row["guard"]:
            row["status"] = "clear"
    assert "| false negatives |" not in to_markdown(diff)
    next(row for row in diff["decision"]["endpoints"] if row["measure"] == "false_negatives")["status"] = "blocks"
    assert "| false negatives |" in to_markdown(diff)


def test_notes_and_warnings():
    diff = build(**MODELS, recorded=False, changes={"warnings": ["mind | the gap"]})
    text = to_markdown(diff)
    assert "- reference does not count: no training record says that it never saw the forget part." in text
    assert "- mind \\| the gap" in text


def test_a_hostile_spec_stays_text():
    text = to_markdown(build(**MODELS, cohort={"forget": "device == '<b>|x`\n# Accepted'"}))
    assert "device == '\\<b\\>\\|x\\` # Accepted'" in text


def predicted(target):
    """A difference of a run that a predicted target decided, as `metrics.json` holds it."""
    good = everywhere(binary(0.8, 0.8))
    shares = {"original": everywhere(binary(0.99, 0.99)), "revised": good, "proxy-0": good}
    found = decide(decision(), table(shares, patients=60), target=target)
    return to_markdown(build(original=FULL, revised=CLOSE, changes=found.to_metrics()))


def test_a_predicted_target_is_named():
    errors = {("forget_train", "sick"): 0.04, ("forget_test", "sick"): 0.02}
    text = predicted(PredictedTarget(name="half_width", kind="rows", proxies=3, cohorts=7, errors=errors))
    assert "*Target* is what half_width predicts on the forget part, in place of retrained networks" in text
    text = predicted(PredictedTarget(name="never_trained", kind="never_trained", counterparts=("remain",)))
    assert "*Target* is chance for the AUC" in text
