"""Does PSG's boundary search earn its cost? Its labels against others on the same cohorts, all tuned alike.

    OMP_NUM_THREADS=1 python benchmarks/psg_ablation.py
    OMP_NUM_THREADS=1 python benchmarks/psg_ablation.py --case fundus_class

PSG trains forget images towards the class that a search finds across the nearest boundary. The *labellers* that it is
held against: a random other class (`random_label`), the network's own runner-up on the clean image, without a search
(`delete`), a copy of the network that was reset and trained on remain (`remain_teacher`), and PSG's search in such a
copy (`psg_remain`). A *control* uses no label (`reset`). All have the same budget, batches and number of trials: three
rates each, of which the one counts that comes nearest to the retrained networks on validation images. PSG's own grid
(λ, γ and T of the paper) is tried at PSG's best rate.

In each cell: how far a network is from three retrained ones on images that chose nothing, as the mean of KL(retrained ‖
network) over images and seeds, and how often both name the same class. The retrained networks' distance from each other
is the floor.

The cohorts are phantoms of 32 pixels, and networks small: what holds here need not hold elsewhere. What is measured
already is kept, so that a benchmark that was stopped goes on.
"""

from __future__ import annotations

import json
import shutil
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmark_options import parser_of
from demo_cohorts import Candidate
from forked_runs import WRITTEN, Case, ForkedRuns, last_line
from results_file import facts, read, write

from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.strict_yaml import load
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

NAME = "psg_ablation"
SEEDS = (1, 2, 3)
# A search of all forget images takes a part of it that is the larger, the shorter the training was.
BUDGET = 0.5
# Multiples of the rate at which the bundle trains.
RATES = (0.25, 0.5, 1.0)
# Both parts in one batch, so that labels are all that differs; a teacher that is trained on the way cannot do so.
ALIKE = {"remain_weight": 10.0, "batch_norm": "mixed"}
PSG = {"name": "psg", "epsilon": 0.1, "bisection_steps": 8, "labels": "soft", "unflipped": "runner_up", **ALIKE}
LABELLERS: dict[str, dict[str, Any]] = {
    "psg": PSG,
    "random_label": {"name": "random_label", **ALIKE},
    "delete": {"name": "delete", **ALIKE},
    "remain_teacher": {"name": "remain_teacher", "remain_weight": 10.0},
    "psg_remain": {"name": "psg_remain", "remain_weight": 10.0},
    "reset": {"name": "reset"},
    "reset_auto": {"name": "reset", "depth": "auto"},
}
# λ has no effect on the first of T steps.
GRID: dict[str, dict[str, Any]] = {
    "T = 5": {"steps": 5},
    "T = 5, λ = 1e-4": {"steps": 5, "proximity_weight": 1e-4},
    "T = 5, λ = 1e-3": {"steps": 5, "proximity_weight": 1e-3},
    "γ = 1e-4": {"noise": 1e-4},
    "γ = 1e-3": {"noise": 1e-3},
    "no bisection": {"bisection_steps": 0},
}
CHOOSE = (("forget", "validation"), ("remain", "validation"))
SHOWN = (("forget", "train"), ("forget", "test"), ("remain", "test"))

CASES = {
    "fundus_camera": Case(
        bundle="fundus_classifier",
        candidate=Candidate(
            patients=240,
            forget="device == Cirrus 800 FA",
            epochs=30,
            drawn="--eyes 1 --size 64",
            reason="device_deprecation",
            settings={"image_size": [32, 32]},
        ),
    ),
    "fundus_class": Case(
        bundle="fundus_classifier",
        candidate=Candidate(
            patients=240,
            forget="diagnosis == glaucoma",
            epochs=30,
            drawn="--eyes 1 --size 64",
            settings={"image_size": [32, 32]},
        ),
    ),
    "brain_mri_class": Case(
        bundle="mri_classifier",
        candidate=Candidate(
            patients=240,
            forget="diagnosis == glioma",
            epochs=30,
            drawn="--slices 1 --size 64",
            settings={"image_size": [32, 32]},
        ),
    ),
}
WITH_GRID = ("fundus_class", "brain_mri_class")


def distances(table: PredictionTable, network: str, others: list[str]) -> dict[str, dict[str, float]]:
    """Return, by subset, the mean divergence of other networks from one, and how often they name the same class."""
    found = {}
    for part, split in (*CHOOSE, *SHOWN):
        rows = ((table.frame["part"] == part) & (table.frame["split"] == split)).to_numpy()
        if not rows.any():
            continue
        q = np.clip(table.probabilities(network)[rows], 1e-6, 1)
        pairs = [np.clip(table.probabilities(other)[rows], 1e-6, 1) for other in others]
        kl = [float((p * np.log(p / q)).sum(1).mean()) for p in pairs]
        same = [float((p.argmax(1) == q.argmax(1)).mean()) for p in pairs]
        found[f"{part}/{split}"] = {"kl": round(float(np.mean(kl)), 4), "agreement": round(float(np.mean(same)), 4)}
    return found


def accuracies(table: PredictionTable, network: str) -> dict[str, float]:
    """Return the share of images that a network classifies correctly, by subset."""
    named = np.array(table.class_names)[table.probabilities(network).argmax(1)]
    right = table.frame.assign(right=named == table.frame["label"].to_numpy())
    of = right.groupby(["part", "split"], observed=True)["right"].mean()
    return {f"{part}/{split}": round(float(of[part, split]), 4) for part, split in SHOWN if (part, split) in of.index}


class Ablation:
    """The trials of one cohort."""

    def __init__(self, name: str, work: Path) -> None:
        self.runs = ForkedRuns(CASES[name], work / name, seeds=SEEDS)
        self.runs.train()
        config = self.runs.configs / "train.yaml"
        self.rate = float(load(config.read_text(encoding="utf-8"), source=str(config))["learning_rate"])

    def trial(self, method: dict[str, Any], rate: float) -> dict[str, Any]:
        """Revise once; return distances, accuracies, verdict and cost."""
        out = self.runs.work / "trial"
        code, line = self.runs.unlearn(
            out,
            method=method,
            budget=BUDGET,
            learning_rate=rate * self.rate,
            batch_size=4,
            remain_batch_size=28,
            # Nothing pauses by what retrained networks say: labels alone decide.
            stop={"seconds": 600},
            audits=[],
        )
        if code not in WRITTEN:
            return {"rate": rate, "failed": line}
        table = PredictionTable.read(RunFolder(out).predictions)
        evidence = json.loads(RunFolder(out).metrics.read_text(encoding="utf-8"))
        shutil.rmtree(out)
        return {
            "rate": rate,
            "distances": distances(table, "revised", list(table.named("reference"))),
            "accuracy": accuracies(table, "revised"),
            "verdict": evidence["verdict"],
            "share_of_retraining": round(evidence["cost"]["share_of_retraining_gradients"], 3),
        }

    def floor(self) -> dict[str, Any]:
        """Return how far the retrained networks are from each other, and the original from them."""
        out = self.runs.work / "floor"
        code, _ = self.runs.unlearn(out, method="batch_norm_only", audits=[], recalibrate=False)
        if code not in WRITTEN:
            sys.exit(last_line(out.with_suffix(".log")))
        table = PredictionTable.read(RunFolder(out).predictions)
        shutil.rmtree(out)
        names = list(table.named("reference"))
        each = [distances(table, name, [other for other in names if other != name]) for name in names]
        return {
            "retrained": {
                "distances": {
                    subset: {
                        key: round(float(np.mean([one[subset][key] for one in each])), 4) for key in each[0][subset]
                    }
                    for subset in each[0]
                },
                "accuracy": {
                    subset: round(float(np.mean([accuracies(table, name)[subset] for name in names])), 4)
                    for subset in accuracies(table, names[0])
                },
            },
            "original": {"distances": distances(table, "original", names), "accuracy": accuracies(table, "original")},
        }


def score(trial: dict[str, Any]) -> float:
    """Return what a trial is chosen by: its divergence on validation images of both parts."""
    if "failed" in trial:
        return float("inf")
    known = [trial["distances"].get("/".join(subset)) for subset in CHOOSE]
    return sum(one["kl"] for one in known if one)


def main() -> None:
    parser = parser_of(__doc__, work=NAME)
    parser.add_argument("--case", choices=tuple(CASES), action="append")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    try:
        document = read(NAME, options.results)
    except FileNotFoundError:
        document = {"facts": {}, "cases": {}}
    for name in options.case or CASES:
        bench, rows = Ablation(name, options.work), document["cases"].setdefault(name, {})
        rows.setdefault("floor", None)
        rows["floor"] = rows["floor"] or bench.floor()
        labellers, grid = rows.setdefault("labellers", {}), rows.setdefault("grid", {})
        for key, method in LABELLERS.items():
            if key not in labellers:
                labellers[key] = min((bench.trial(method, rate) for rate in RATES), key=score)
                save(document, options.results, name, key, labellers[key])
        for key, change in GRID.items() if name in WITH_GRID else ():
            if key not in grid:
                grid[key] = bench.trial({**PSG, **change}, labellers["psg"]["rate"])
                save(document, options.results, name, key, grid[key])


def save(document: dict[str, Any], folder: Path, *shown: object) -> None:
    """Write what is measured so far, and print what is new."""
    document["facts"] = facts("monai-unlearn", "torch", "monai", budget=BUDGET, rates=list(RATES), retrained=len(SEEDS))
    write(document, NAME, folder)
    print(*shown, flush=True)


if __name__ == "__main__":
    main()
