"""What is committed of a comparison, which methods are finalists, and what its tables show."""

from __future__ import annotations

import sys

from committed_rows import case, row
from script import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import comparison_tables
import method_comparison
import seeded_rows


def test_a_failed_row_says_why_and_not_where():
    found = method_comparison.short({"status": "failed", "why": "it is refused. Its log is /somewhere/log.txt."})
    assert found["why"] == "it is refused."


def test_finalists_are_best_on_validation_images_and_not_on_the_list_anyhow():
    rows = [row(name, 1.0, objective=place) for place, name in enumerate(("reset", "duck", "ssd", "msg", "gear"))]
    assert method_comparison.finalists([case(*rows), case(*rows)]) == ["duck", "ssd", "msg"]


def test_a_failed_method_is_no_finalist_before_one_that_ran():
    rows = [row("duck", 1.0), row("ssd", 1.0), row("msg", 1.0), {"method": "gear", "status": "failed", "why": "no"}]
    assert "gear" not in method_comparison.finalists([case(*rows)])


def test_the_screen_orders_methods_by_validation_and_shows_what_did_not_run():
    rows = [row("duck", 0.5, objective=2.0), row("reset", 0.9, objective=1.0)]
    failed = {"method": "msg", "status": "failed", "why": "no"}
    lines = comparison_tables.screen([case(*rows, failed)])[2:]
    assert [line.split("|")[1].strip() for line in lines] == ["`reset`", "`duck`", "`msg`"]
    assert "does not run" in lines[-1]


def test_the_finalists_show_how_many_settings_were_tried_and_the_whole_reason_of_what_did_not_run():
    why = "a run refused its input: budget: 0.1 of retraining is 5,520. Give --budget 0.2 or more"
    failed = {"method": "psg", "status": "failed", "why": why, "budget": 0.1, "original": 0}
    alone = {**row("default", 1.0), "share_of_retraining": 0.1}
    chosen = {**alone, "method": "reset", "tried": [{"settings": {}, "objective": 1.0}] * 6}
    lines = comparison_tables.final([case(chosen, alone, failed)])[2:]
    assert [line.split("|")[-2].strip() for line in lines] == ["6", "–", "–"]
    assert lines[2].endswith("| budget: 0.1 of retraining is 5,520 | – |")


def test_the_grid_shows_what_was_tried_and_the_best_on_validation_images():
    tried = [
        {"settings": {"method::kept": 0.4, "training::rate_factor": rate}, "objective": objective}
        for rate, objective in ((1.0, 1.2), (0.5, 1.1), (2.0, None))
    ]
    lines = comparison_tables.grid([case({**row("shrink_perturb", 1.0), "tried": tried}, row("default", 0.9))])
    assert lines[0].startswith("| cohort | original | budget | kept 0.4, rate_factor 0.5 | kept 0.4, rate_factor 1.0 |")
    assert lines[2:] == ["| a camera | 0 | 10 % | **1.100** | 1.200 | – | 1.000 |"]


def test_methods_side_by_side_show_what_retrained_networks_differ_by_among_themselves():
    shown = row("default", 1.05, budget=0.2)
    for name in ("distance_ratio", "recall_gap_forget_train", "recall_gap_forget_test", "recall_gap_remain_test"):
        shown[name] = {"value": 0.05, "retrained": [0.02, 0.04], "original": 0.3}
    failed = {"method": "psg", "status": "failed", "why": "no", "budget": 0.2, "original": 0}
    lines = comparison_tables.side_by_side([case(shown, failed)], methods=("default", "psg"), budget=0.2)[3:]
    assert lines[0] == "| original | 0.30 | 30.0 | 30.0 | 30.0 |  |  |"
    assert lines[1].startswith("| **retrained** | **0.02–0.04** | **2.0–4.0** |")
    assert lines[2].endswith("| -1.0 | `inconclusive` |")
    assert lines[3].endswith("| – | does not run |")


def test_methods_side_by_side_show_the_means_over_their_runs():
    shown = row("default", 1.0, budget=0.2)
    for name in ("recall_gap_forget_train", "recall_gap_remain_test"):
        shown[name] = {"value": 0.05, "retrained": [0.02, 0.04], "original": 0.3}
    for name in ("distance_ratio", "recall_gap_forget_test"):
        shown[name]["original"] = 0.3
    further = {**shown, "distance_ratio": {"value": 2.0}, "remain_gap": 0.03, "verdict": "different"}
    [joined] = seeded_rows.joined([case(shown)], [case(further)])
    line = comparison_tables.side_by_side([joined], methods=("default",), budget=0.2)[-1]
    assert line == "| `default` | 1.50 | 5.0 | 5.0 | 5.0 | +1.0 | `inconclusive`, `different` |"
