"""Figures that documents show, from the committed results of the benchmarks."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "benchmarks"))

import results_file  # noqa: E402 - beside the benchmarks, which are scripts and no package
import seeded_rows  # noqa: E402
from case_tables import SUBSETS, shares  # noqa: E402
from psg_tables import PARTS, sums_of_gaps  # noqa: E402
from sequence_tables import gap, retrainings, ways  # noqa: E402

COHORTS = {"truncated": "verdicts_odir_truncated_field", "quarter": "verdicts_odir_quarter_of_one_class"}
MILLION = 1_000_000


@dataclass(frozen=True)
class Seeds:
    """A percentage, measured once or under several seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.mean(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    @property
    def spread(self) -> float:
        return self.high - self.low


@cache
def result(name: str) -> dict[str, Any]:
    """Return a committed result."""
    return results_file.read(name)


@cache
def odir(cohort: str) -> dict[str, dict[str, Seeds]]:
    """Return accuracies in percent by network and subset, over the seeds of each."""
    case = result(COHORTS[cohort])
    networks = {
        "original": [case["original"]],
        "original_recalibrated": [case["original_recalibrated"]],
        "retrained": case["retrained"],
    }
    for name, runs in case["runs"].items():
        networks[name] = [run["revised"] for run in runs]
        networks[f"{name}_recalibrated"] = [run["recalibrated"] for run in runs]
    return {name: {subset: Seeds(shares(found, subset)) for subset in SUBSETS} for name, found in networks.items()}


def comparisons(stage: str) -> list[dict[str, Any]]:
    """Return the results of a stage of `method_comparison.py`, by the kind of cohort."""
    found = [result(path.stem) for path in results_file.RESULTS.glob(f"comparison_{stage}_*.json")]
    return sorted(found, key=lambda one: (one["kind"], one["title"]))


def seeded() -> list[dict[str, Any]]:
    """Return the results of the final stage, each row with its runs under further seeds."""
    further = [result(path.stem) for path in results_file.RESULTS.glob("method_seeds_*.json")]
    return seeded_rows.joined(comparisons("final"), further)


README_COHORTS = ("odir_truncated_field", "odir_quarter", "odir_patients")
README_BUDGET = 0.2


def forget_train_gaps() -> dict[str, Seeds]:
    """Return recall gaps on forget training images, in points, over the cohorts of README's table."""
    rows = {
        (one["title"], row["method"]): row
        for one in seeded()
        for row in one["rows"]
        if row["original"] == 0 and row["budget"] == README_BUDGET and row["status"] == "finished"
    }
    titles = [result(f"comparison_final_{name}")["title"] for name in README_COHORTS]
    defaults = [rows[title, "default"] for title in titles]
    measure = "recall_gap_forget_train"
    default = [row[measure] for row in defaults]
    return {
        "default": Seeds(tuple(100 * statistics.fmean(seeded_rows.values_of(row, measure)) for row in defaults)),
        "original": Seeds(tuple(100 * one["original"] for one in default)),
        "retrained": Seeds(tuple(100 * value for one in default for value in one["retrained"])),
    }


@cache
def quality() -> dict[str, dict[str, Any]]:
    """Return, for each task of `psg_quality.py`, what its classes have in common at 10 % of retraining's gradients."""
    return {task: _task(body["classes"]) for task, body in result("psg_quality")["tasks"].items()}


def _task(classes: dict[str, Any]) -> dict[str, Any]:
    psg = {wanted: _means(rows["psg 10% all"]) for wanted, rows in classes.items()}
    original, retrained = (
        {wanted: _means(rows[name]) for wanted, rows in classes.items()} for name in ("original", "retrained")
    )
    gaps = [psg[wanted]["remain"] - retrained[wanted]["remain"] for wanted in classes]
    times = [rows["psg 10% all"].get("processor_time_of_retraining") for rows in classes.values()]
    shrunk = [rows for rows in classes.values() if "boundary_shrink" in rows]
    # boundary_shrink ran under the first seed alone.
    back = [abs(rows["boundary_shrink"][part][0] - rows["original"][part][0]) for rows in shrunk for part in PARTS]
    return {
        "forget": Seeds(tuple(one["forget"] for one in psg.values())),
        "remain_gap": Seeds(tuple(gaps)),
        "processor_time": Seeds(tuple(time for time in times if time is not None)) if all(times) else None,
        "shrink_to_original": Seeds(tuple(back)),
        "original": Seeds(tuple(one["remain"] for one in original.values())),
        "retrained": Seeds(tuple(one["remain"] for one in retrained.values())),
        "sums": {f"{budget:.0%}": sums_of_gaps(classes, budget, "all") for budget in (0.05, 0.10)},
    }


def shrink_to_original() -> float:
    """Return the largest distance of boundary_shrink, recalibrated, to the original, in points, over all tasks."""
    return max(task["shrink_to_original"].high for task in quality().values())


def _means(row: dict[str, Any]) -> dict[str, float]:
    return {part: statistics.mean(row[part]) for part in PARTS}


@cache
def sequence_gaps() -> dict[str, dict[str, dict[str, Seeds]]]:
    """Return recall on training images less that of retrained networks, in points: by method, step and cohort."""
    return {
        way: {
            step: {
                cohort: Seeds(tuple(gap(row[step][cohort]["train"]) for row in rows))
                for cohort in rows[0][step]
                if "train" in rows[0][step][cohort]
            }
            for step in rows[0]
        }
        for way, rows in ways(result("forget_sequence")).items()
    }


@cache
def sequence_costs() -> dict[str, float]:
    """Return what three default revisions cost, as shares of one retraining and of one after each step."""
    found = result("forget_sequence")
    once, each = retrainings(found)
    spent = [sum(step["gradients"] for step in row["steps"].values()) for row in found["methods"]["default"].values()]
    return {"of_one": statistics.mean(spent) / once, "of_each": statistics.mean(spent) / each}


def without_cirrus() -> Seeds:
    """Return accuracy on Cirrus test images of networks that were trained without Cirrus images."""
    rows = result("phantom_device_effect")["rows"]
    return Seeds(tuple(100 * row["forget"]["accuracy"] for row in rows if row["trained"] == "without Cirrus"))


@cache
def index_cost() -> dict[str, float]:
    """Return the cost model of an index: what a million rows cost, in reading and in everything else.

    Reading is the difference between 100,000 real files, scaled up, and a million synthesised rows.
    """
    real, synthesised = (row for row in result("index_scale")["rows"] if row["rows"] in (100_000, MILLION))
    whole, rest = (row["first"]["processor_seconds"] * MILLION / row["rows"] for row in (real, synthesised))
    return {
        "whole": whole,
        "rest": rest,
        "read": whole - rest,
        "hundred_million_read": 100 * (whole - rest),
        "hundred_million_rest": 100 * rest,
        "minutes_on_40_cores": 100 * (whole - rest) / 40 / 60,
        "megabytes": synthesised["bytes"] / 1e6,
        "gigabytes_of_hundred_million": synthesised["bytes"] / 1e7,
        "unchanged": real["unchanged"]["processor_seconds"],
        "share_of_parts": synthesised["bytes_of_parts"] / synthesised["bytes"],
        "most_memory": max(row["first"]["peak_mb"] for row in result("index_scale")["rows"]),
    }
