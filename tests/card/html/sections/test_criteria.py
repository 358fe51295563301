from __future__ import annotations

import copy

from card_example import CLOSE, FULL, build, rich
from decision_example import binary, decision, everywhere, table

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.criteria import view
from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.decision.target import PredictedTarget

DIFF = rich()


def test_what_was_declared_stands_with_value_interval_and_verdict():
    found = view(DIFF)
    assert [cell.text for cell in found["declared"].rows[0]] == ["forget train", "all", "mean probability", "10", "30"]
    declared = [number for number, row in enumerate(DIFF["decision"]["endpoints"]) if not row["guard"]]
    assert len(found["judged"].rows) == len(declared)
    number, row = declared[0], found["judged"].rows[0]
    assert row[5].key == f"/decision/endpoints/{number}/d"
    assert row[9].text == DIFF["decision"]["endpoints"][number]["status"].replace("_", " ")


def test_guards_are_counted_and_those_that_object_are_shown():
    diff = copy.deepcopy(DIFF)
    for row in diff["decision"]["endpoints"]:
        if row["guard"]:
            row["status"] = "clear"
    assert view(diff)["objecting"] is None
    assert "none objects." in to_html(diff)
    next(row for row in diff["decision"]["endpoints"] if row["guard"])["status"] = "blocks"
    assert len(view(diff)["objecting"].rows) == 1


def test_what_was_not_declared_is_said():
    page = to_html(DIFF)
    assert "informs and decides nothing: Accuracy, Sensitivity" in page
    endpoints = [{"subset": "forget_test", "margin": 0.5}, {"subset": "remain_test"}]
    wide = build(original=FULL, revised=CLOSE, decision={"endpoints": endpoints})
    assert "Declared or judged more leniently than usual" in to_html(wide)


def test_a_predicted_target_stands_with_its_error():
    good = everywhere(binary(0.8, 0.8))
    shares = {"original": everywhere(binary(0.99, 0.99)), "revised": good, "proxy-0": good}
    errors = {("forget_train", "sick"): 0.04, ("forget_test", "sick"): 0.02}
    target = PredictedTarget(name="half_width", kind="rows", proxies=3, cohorts=7, errors=errors)
    found = decide(decision(), table(shares, patients=60), target=target).to_metrics()
    errors = view(build(original=FULL, revised=CLOSE, changes=found))["errors"]
    assert errors.caption.startswith("The measured error of half_width, in points")
    assert [cell.text for cell in errors.rows[-1]] == ["forget train", "sick", "4.0"]


def test_a_protocol_shows_how_far_classes_moved():
    diff = copy.deepcopy(DIFF)
    moved = {"subset": "forget_test", "class": "a", "G": 40, "change": -0.1, "low": None, "high": None, "inside": False}
    moved["what"] = "mean_probability"
    within = {**moved, "low": -0.2, "high": 0.1, "inside": True}
    diff["decision"]["protocol"] = {"ranges": [{**within, "what": "classified"}, moved, within]}
    rows = [[cell.text for cell in row[3:]] for row in view(diff)["ranges"].rows]
    assert rows == [["-10.0", "–", "no"], ["-10.0", "-20.0 to +10.0", "yes"]]
    assert view(diff)["ranges"].rows[0][3].key == "/decision/protocol/ranges/1/change"
    assert view(diff)["others"] == [True]
