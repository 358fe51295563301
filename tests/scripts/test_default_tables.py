"""How tables judge the default, by the mean over its seeds."""

from __future__ import annotations

import sys

import pytest
from committed_rows import case, row
from script import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import default_tables
import seeded_rows


def joined(*rows, further=()):
    return seeded_rows.joined([case(*rows)], [case(*further)])


def seed(number, method, distance, **changed):
    return {**row(method, distance, **changed), "seed": number}


def test_the_default_is_held_against_the_best_of_the_others_at_its_budget():
    near, far = row("default", 1.05), row("default", 1.3, budget=0.2)
    others = [row("reset", 0.98), row("scratch", 0.5), row("finetune", 1.15, budget=0.2)]
    first, second = default_tables.bar(joined(near, far, *others))[2:]
    assert "| 1.05 | 0.98 `reset` | yes | yes | 5.0 | 7.0 | -1.0 | –1.5 |" in first
    assert "| 1.30 | 1.15 `finetune` | **no** | **no** |" in second


def test_what_is_missed_is_marked_and_networks_may_be_as_far_apart_in_what_remains():
    own = {**row("default", 1.0, gap=0.08), "remain_gap": -0.02, "retrained_gaps": [[0, 0.006], [0, 0], [0, -0.006]]}
    wider = {**own, "retrained_gaps": [[0, 0.012], [0, 0], [0, -0.009]]}
    assert "| **8.0** | 7.0 | **-2.0** | –1.5 |" in default_tables.bar(joined(own))[2]
    assert "| **8.0** | 7.0 | -2.0 | –2.1 |" in default_tables.bar(joined(wider))[2]


def test_what_the_default_reached_is_told_by_kind_with_the_other_originals():
    rows = [row("default", 1.05, budget=0.2), row("default", 1.1), {**row("default", 0.9), "original": 1}]
    found = default_tables.reached_by_kind(joined(*rows, row("reset", 0.5)))
    assert found == {"device": ["a camera: 1.10 / 1.05", "a camera, original 1: 0.90"]}


def test_a_default_that_was_measured_alone_is_held_against_retraining_alone():
    [line] = default_tables.bar(joined(row("default", 1.05)))[2:]
    assert "| 1.05 | – | – | yes | 5.0 | 7.0 |" in line


def test_a_default_with_seeds_is_held_against_others_by_the_means_and_shows_every_verdict():
    further = [seed(1, "default", 1.3, verdict="different"), seed(2, "default", 1.1, gap=0.35), seed(1, "reset", 0.8)]
    [line] = default_tables.bar(joined(row("default", 1.2), row("reset", 1.0), further=further))[2:]
    assert "| 10 % | 3 | 1.20 | 0.90 `reset` | **no** | yes | **15.0** |" in line
    assert line.endswith("| inconclusive, different |")


def test_seeds_of_another_budget_or_method_are_not_counted():
    further = [seed(1, "default", 9.0, budget=0.2), seed(1, "psg", 9.0), {**seed(1, "default", 9.0), "original": 1}]
    [line] = default_tables.bar(joined(row("default", 1.0), further=further))[2:]
    assert "| 10 % | 1 | 1.00 |" in line


def test_what_seeds_make_of_a_method_is_shown_where_it_has_more_than_one():
    further = [seed(1, "default", 1.3), seed(2, "default", 1.1)]
    [line] = default_tables.seeds(joined(row("default", 1.2), row("reset", 1.0), further=further))[2:]
    assert line == "| a camera | 0 | 10 % | 1.20 (1.10–1.30) | – | – | – |"


def test_nothing_is_asked_of_a_smaller_budget():
    found = joined(row("default", 2.5, budget=0.05), row("default", 1.0))
    [line] = default_tables.bar(found)[2:]
    assert "| 10 % | 1 | 1.00 |" in line
    assert default_tables.reached_by_kind(found) == {"device": ["a camera: 1.00"]}


def test_a_row_that_failed_is_judged_by_nothing():
    failed = {"method": "psg", "status": "failed", "why": "no", "original": 0, "budget": 0.1}
    [line] = default_tables.bar(joined(row("default", 1.0), failed))[2:]
    assert "| 1.00 | – | – | yes |" in line


def test_runs_of_other_settings_are_not_averaged():
    further = [{**seed(1, "default", 1.3), "settings": {"method::kept": 0.4}}]
    with pytest.raises(ValueError, match="have other settings"):
        joined(row("default", 1.2), further=further)


def test_a_mean_needs_every_run():
    [one] = joined(row("default", 1.2), further=[seed(1, "default", None)])
    assert seeded_rows.mean_of(one["rows"][0], "distance_ratio") is None
