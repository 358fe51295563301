"""What each choice in PSG's default settings does: one change at a time, on the one cell that settings were chosen on.

    python benchmarks/psg_choices.py --work build/psg

The cell is brain MRI, the class glioma forgotten, seed 0, of `psg_quality.py`, whose networks must lie in --work. Every
row has the same budget of gradient evaluations. Test accuracy of this cell was looked at to choose; that of the others
was not.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psg_quality as quality
import torch

from monai_unlearn.methods import PSG

BUDGETS = (0.05, 0.10)
TASKS = ("brain_mri_longer",)

# What is changed: options of PSG, and of the run.
CHANGES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no way back: the point at the end of a step of 0.1": {"bisection_steps": 0},
    "no way back, a radius of 0.005 that suits this network": {"bisection_steps": 0, "epsilon": 0.005},
    "no way back, a radius of 0.02": {"bisection_steps": 0, "epsilon": 0.02},
    "a way back from a radius of 0.02": {"epsilon": 0.02},
    "five steps of search": {"steps": 5},
    "the class found, as a hard label": {"labels": "hard"},
    "the image's own class kept in soft labels": {"unflipped": "keep"},
    "remain targets from the original": {"remain_targets": "teacher"},
    "remain weight 3": {"remain_weight": 3.0},
    "remain weight 30": {"remain_weight": 30.0},
    "all forget images instead of 64": {"search_images": None},
    "half forget, half remain images, equal weights": {"remain_weight": 1.0, "batches": (32, 32)},
    "16 forget images in a batch": {"batches": (16, 48)},
    "BatchNorm frozen": {"batch_norm": "frozen"},
    "BatchNorm following remain images alone": {"batch_norm": "remain"},
    "a tenth of the learning rate": {"rate": quality.PSG_RATE / 10},
    "half the learning rate": {"rate": quality.PSG_RATE / 2},
    "the training's peak rate": {"rate": 1.0},
    "gradients not shortened": {"clip": None},
}


def run(cell: quality.Cell, change: dict[str, Any], budget: float) -> dict[str, Any]:
    options = {**quality.PSG_SETTINGS, **change}
    batches = options.pop("batches", (quality.FORGET_BATCH, quality.REMAIN_BATCH))
    rate, clip = options.pop("rate", quality.PSG_RATE), options.pop("clip", quality.CLIP)
    return cell.run(PSG(**options), budget=budget, rate=rate, batches=batches, clip=clip)


def measure(task: quality.Task, work: Path) -> dict[str, Any]:
    original, _ = quality.cached(work / f"{task.name}-0.pt", quality.unmade, task)
    reference, cost = quality.cached(work / f"{task.name}-0-0.pt", quality.unmade, task)
    cell = quality.Cell(task, 0, 0, original, cost)
    aim = cell.measure(copy.deepcopy(reference))["recalibrated"]
    found: dict[str, Any] = {"retrained": aim}
    for name, change in CHANGES.items():
        found[name] = {}
        for budget in BUDGETS:
            accuracy = run(cell, change, budget)["recalibrated"]
            gaps = sum(abs(accuracy[part] - aim[part]) for part in ("forget", "remain"))
            found[name][f"{budget:.0%}"] = {
                **{part: round(accuracy[part], 2) for part in ("forget", "remain")},
                "sum_of_gaps": round(gaps, 2),
            }
        print(task.name, name, found[name], file=sys.stderr, flush=True)
    return found


def to_markdown(document: dict[str, Any]) -> str:
    lines = [
        f"# What each choice in PSG's settings does: {document['facts']['date']}",
        "",
        "Made by `benchmarks/psg_choices.py`: forget / remain test accuracy in % after BatchNorm statistics are",
        "estimated anew, and the sum of their gaps to the retrained network. One cell, one seed: differences of a",
        "point or two are noise.",
    ]
    heads = [f"{budget:.0%} of retraining's gradients" for budget in BUDGETS]
    for task, rows in document["tasks"].items():
        aim = rows["retrained"]
        lines += ["", f"## {task}, forget glioma; retrained {aim['forget']:.1f} / {aim['remain']:.1f}", ""]
        lines += [f"| change | {' | '.join(heads)} |", "| --- |" + " --- |" * len(heads)]
        for name, row in rows.items():
            if name != "retrained":
                cells = [
                    f"{value['forget']:.1f} / {value['remain']:.1f} ({value['sum_of_gaps']:.1f})"
                    for value in row.values()
                ]
                lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("MONAI_UNLEARN_DATA"))
    parser.add_argument("--work", type=Path, default=quality.ROOT / "build" / "psg")
    parser.add_argument("--results", type=Path, default=quality.ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    if options.data is None:
        sys.exit("give --data FOLDER, or set MONAI_UNLEARN_DATA")
    torch.set_num_threads(1)
    document: dict[str, Any] = {
        "facts": {
            "date": datetime.now(timezone.utc).date().isoformat(),
            "processor": platform.machine(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("monai-unlearn", "torch", "monai", "numpy")},
            "seeds": 1,
        },
        "settings": {"psg": quality.PSG_SETTINGS, "rate": quality.PSG_RATE, "clip": quality.CLIP},
        "tasks": {name: measure(quality.TASKS[name](Path(options.data)), options.work) for name in TASKS},
    }
    (options.results / "psg_choices.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (options.results / "psg_choices.md").write_text(to_markdown(document), encoding="utf-8")
    print(to_markdown(document))


if __name__ == "__main__":
    main()
