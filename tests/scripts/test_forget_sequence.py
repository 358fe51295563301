"""What a benchmark measures of a sequence of revisions, and how its tables count."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from script import ROOT

from monai_unlearn.evaluation import Network, PredictionTable

sys.path.append(str(ROOT / "benchmarks"))

import sequence_measures
import sequence_tables

CLASSES = ("x", "y")
NETWORKS = ("original", "revised", "reference", "reference", "reference")


def frame_of(**parts: str) -> pd.DataFrame:
    """One image for each name, in the part that is given, half of them to test on."""
    rows = [
        {"image_id": name, "patient": name, "part": part, "split": ("train", "test")[number % 2], "label": "x"}
        for number, (name, part) in enumerate(parts.items())
    ]
    return pd.DataFrame(rows)


def table_of(frame: pd.DataFrame, *, revised: float = 1.0) -> PredictionTable:
    """Predictions in which every network says x, by other logits, but for the revised one, if it is negative."""
    networks = tuple(Network(name=f"{role}-{number}", role=role) for number, role in enumerate(NETWORKS))
    margins = (2.0, revised, 1.0, 1.5, 2.5)
    rng = np.random.default_rng(0)
    noise = {one.name: rng.normal(0, 0.1, (len(frame), 1)) for one in networks}
    logits = {
        one.name: np.hstack([margin + noise[one.name], np.zeros((len(frame), 1))])
        for one, margin in zip(networks, margins, strict=True)
    }
    return PredictionTable(frame=frame, class_names=CLASSES, networks=networks, logits=logits)


FIRST = frame_of(a="forget", b="forget", c="remain", d="remain", e="remain", f="remain")
# Of the first cohort, a stays out, and the second one names b again.
SECOND = frame_of(a="earlier:0.2.0", b="forget", c="forget", d="forget", e="remain", f="remain")


def test_an_image_belongs_to_the_first_cohort_that_forgot_it():
    found = sequence_measures.forgotten_by({"first": FIRST, "second": SECOND})
    assert found == {"a": "first", "b": "first", "c": "second", "d": "second"}


def test_each_cohort_is_measured_beside_remain():
    cohorts = sequence_measures.forgotten_by({"first": FIRST, "second": SECOND})
    found = sequence_measures.measured(table_of(SECOND, revised=-1.0), cohorts)
    assert list(found) == ["first", "second", "remain"]
    row = found["first"]["train"]
    assert (row["images"], row["before"], row["after"], row["retrained"]) == (1, 1.0, 0.0, [1.0, 1.0, 1.0])
    assert row["distance"]["after"] > row["distance"]["before"] > 0
    assert {split: one["images"] for split, one in found["second"].items()} == {"train": 1, "test": 1}
    assert found["remain"]["test"]["after"] == 0.0


def test_what_is_to_be_forgotten_later_is_remain_until_then():
    cohorts = sequence_measures.forgotten_by({"first": FIRST, "second": SECOND})
    found = sequence_measures.measured(table_of(FIRST), cohorts)
    assert list(found) == ["first", "remain"]
    assert found["remain"]["train"]["images"] == 2


def test_undetermined_images_are_measured_nowhere():
    frame = frame_of(a="forget", b="forget", c="undetermined", d="undetermined", e="remain", f="remain")
    found = sequence_measures.measured(table_of(frame), {"a": "first", "b": "first"})
    assert {name: sum(row["images"] for row in rows.values()) for name, rows in found.items()} == {
        "first": 2,
        "remain": 2,
    }


def test_a_network_of_another_run_takes_the_place_of_the_revised_one():
    table = table_of(SECOND)
    turned = table_of(SECOND[::-1], revised=-1.0)
    found = sequence_measures.with_revised(table, turned)
    assert np.array_equal(found.logits["revised-1"], turned.logits["revised-1"][::-1])
    assert np.array_equal(found.logits["reference-2"], table.logits["reference-2"])
    with pytest.raises(KeyError, match="a"):
        sequence_measures.with_revised(table, table_of(SECOND[1:]))


def row(after: float, distance: float = 1.0) -> dict:
    """What is measured of a subset in which retrained networks classify 40 and 60 % correctly."""
    return {
        "before": 0.9,
        "after": after,
        "retrained": [0.4, 0.6],
        "distance": {"after": distance, "retrained": [0.8, 1.2]},
    }


def result() -> dict:
    """The result of one original and two cohorts."""

    def cohorts(*names: str, after: float) -> dict:
        return {name: {split: row(after) for split in ("train", "test")} for name in (*names, "remain")}

    def step(*names: str, after: float, verdict: str = "equivalent") -> dict:
        return {"verdict": verdict, "gradients": 10, "cohorts": cohorts(*names, after=after)}

    both = ("station", "class")
    steps = {"station": step("station", after=0.5), "class": step(*both, after=0.6, verdict="target_undetermined")}
    once = {"joint": step(*both, after=0.7), "joint_for_as_much": step(*both, after=0.5)}
    bare = {"without_lineage": {"class": cohorts(*both, after=0.9)}}
    return {
        "cohorts": dict.fromkeys(both),
        "retraining_gradients": {"station": 150, "class": 50},
        "methods": {"default": {"0": {"steps": steps, **once, **bare}}, "psg": {"0": {"steps": steps, **once}}},
    }


def test_the_table_of_the_end_sets_steps_beside_one_retraining():
    heads, _, first, *others = sequence_tables.ends(result())
    assert heads == (
        "|  | original | retrained once | default, in steps | default, at once | default, at once, for as much | "
        "PSG, in steps | PSG, at once | PSG, at once, for as much |"
    )
    each = "60 · 1.0 | 70 · 1.0 | 50 · 1.0"
    assert first == f"| an unread station, train | 90 | 40–60 · 0.8–1.2 | {each} | {each} |"
    assert [line.split(" | ")[0] for line in others][-1] == "| remain, test"


def test_the_table_of_what_comes_back_is_beside_the_retrained_networks_of_each_step():
    assert sequence_tables.returns(result())[2:] == [
        "| an unread station | default | +0 · 1.0 | +10 · 1.0 |",
        "| an unread station | default, without lineage | +0 · 1.0 | +40 · 1.0 |",
        "| an unread station | PSG | +0 · 1.0 | +10 · 1.0 |",
    ]


def test_costs_are_shares_of_one_retraining_and_of_one_after_each_step():
    assert sequence_tables.costs(result())[2:4] == [
        "| default, in steps | 1 equivalent; 1 undetermined | 40 | 10 |",
        "| default, at once | 1 equivalent | 20 | 5 |",
    ]
