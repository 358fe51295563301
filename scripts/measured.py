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
from psg_tables import PARTS, sums_of_gaps  # noqa: E402

SUBSETS = ("forget_train", "forget_test", "remain_test")
COHORTS = {"truncated": "odir_truncated_field", "quarter": "odir_quarter_of_one_class"}
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
    """Return accuracies in percent by model and subset: retraining and PSG under every seed, the others under one."""
    document = result(COHORTS[cohort])
    psg = document["runs"]["psg"]["models"]
    again = document["again"].values()
    models = {
        "original": [psg["original"]],
        "original_recalibrated": [psg["original_recalibrated"]],
        "retrained": [psg["reference"], *(seed["reference"] for seed in again)],
        "psg": [psg["revised"], *(seed["psg"] for seed in again)],
    }
    for name in ("finetune", "boundary_shrink"):
        models[name] = [document["runs"][name]["models"]["revised"]]
        models[f"{name}_recalibrated"] = [document["runs"][name]["models"]["revised_recalibrated"]]
    return {name: {subset: _seeds(seeds, subset) for subset in SUBSETS} for name, seeds in models.items()}


def _seeds(models: list[dict[str, Any]], subset: str) -> Seeds:
    part, split = subset.split("_")
    return Seeds(tuple(100 * model[part][split]["accuracy"] for model in models))


@cache
def odir_classes(cohort: str) -> dict[str, dict[str, Seeds]]:
    """Return recall on forget test images in percent, by model and class, over every seed."""
    document = result(COHORTS[cohort])
    first = document["runs"]["psg"]["models"]
    again = document["again"].values()
    seeds = {
        "retrained": [first["reference"], *(seed["reference"] for seed in again)],
        "psg": [first["revised"], *(seed["psg"] for seed in again)],
    }
    return {name: _recalls(models) for name, models in seeds.items()}


def _recalls(models: list[dict[str, Any]]) -> dict[str, Seeds]:
    """Return recall on forget test images by class; classes without images are left out."""
    found = [model["forget"]["test"]["classes"] for model in models]
    having = [name for name, subset in found[0].items() if subset["accuracy"] is not None]
    return {name: Seeds(tuple(100 * classes[name]["accuracy"] for classes in found)) for name in having}


def gaps(cohort: str) -> dict[str, float]:
    """Return PSG's mean accuracy minus that of the retrained models, in points, by subset."""
    models = odir(cohort)
    return {subset: models["psg"][subset].mean - models["retrained"][subset].mean for subset in SUBSETS}


def odir_shares(cohort: str) -> dict[str, float]:
    """Return each method's gradient evaluations as a share of retraining's."""
    return {name: run["cost"]["share_of_retraining_gradients"] for name, run in result(COHORTS[cohort])["runs"].items()}


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


def memory_left() -> dict[str, float]:
    """Return how much more accurate models are on forget training than on forget test images, truncated field."""
    models = odir("truncated")
    names = ("psg", "original", "retrained")
    return {name: models[name]["forget_train"].mean - models[name]["forget_test"].mean for name in names}


def _means(row: dict[str, Any]) -> dict[str, float]:
    return {part: statistics.mean(row[part]) for part in PARTS}


def without_cirrus() -> Seeds:
    """Return accuracy on Cirrus test images of networks that were trained without Cirrus images."""
    rows = result("phantom_device_effect")["rows"]
    return Seeds(tuple(100 * row["forget"]["accuracy"] for row in rows if row["trained"] == "without Cirrus"))


def scanner_gap() -> float:
    """Return the gap of the revised MRI bundle to its reference on the retired phantom scanner, in points."""
    rows = result("bundle_tables")["rows"]
    models = next(row["models"] for row in rows if row["data"].endswith("retire a scanner"))
    revised, reference = (models[name]["forget"]["test"]["accuracy"] for name in ("revised", "reference"))
    return 100 * float(revised - reference)


def fissures() -> dict[str, Any]:
    """Return the models of the first periorbital run with PSG: its original is what the bundle ships."""
    models: dict[str, Any] = result("periorbital_fissure")["seeds"]["0"]["runs"]["psg"]["models"]
    return models


def fissures_remain_drop() -> float:
    """Return how many points of remain test accuracy PSG lost in that run."""
    original, revised = (fissures()[name]["remain"]["test"]["accuracy"] for name in ("original", "revised"))
    return 100 * float(original - revised)


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
