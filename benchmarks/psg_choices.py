"""What does each choice in PSG's settings do? One change at a time, on the one run that the settings were chosen on.

    python benchmarks/psg_choices.py

The run is brain MRI, class glioma, seed 0, of `psg_quality.py`, whose networks must be in --work. Every row has the
same budget of gradient evaluations. The choice used the test accuracy of this run, and of no other.
"""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any

import psg_quality as quality
import torch
from benchmark_options import data_folder, parser_of
from psg_tables import choices_page
from results_file import facts, write

from monai_unlearn.methods import PSG

if TYPE_CHECKING:
    from pathlib import Path

BUDGETS = (0.05, 0.10)
TASKS = ("brain_mri_longer",)

# The changes: options of PSG, and of the run.
CHANGES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no bisection: the end of a step of 0.1": {"bisection_steps": 0},
    "no bisection, a radius of 0.005 that suits this network": {"bisection_steps": 0, "epsilon": 0.005},
    "no bisection, a radius of 0.02": {"bisection_steps": 0, "epsilon": 0.02},
    "bisection from a radius of 0.02": {"epsilon": 0.02},
    "five steps of search": {"steps": 5},
    "hard labels: the class found": {"labels": "hard"},
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
    "no gradient clipping": {"clip": None},
}


def revise(run: quality.Run, change: dict[str, Any], budget: float) -> dict[str, Any]:
    options = {**quality.PSG_SETTINGS, **change}
    batches = options.pop("batches", (quality.FORGET_BATCH, quality.REMAIN_BATCH))
    rate, clip = options.pop("rate", quality.PSG_RATE), options.pop("clip", quality.CLIP)
    return run.revise(PSG(**options), budget=budget, rate=rate, batches=batches, clip=clip)


def measure(task: quality.Task, work: Path) -> dict[str, Any]:
    original, _ = quality.cached(work / f"{task.name}-0.pt", quality.unmade, task)
    reference, cost = quality.cached(work / f"{task.name}-0-0.pt", quality.unmade, task)
    run = quality.Run(task, 0, 0, original, cost)
    aim = run.measure(copy.deepcopy(reference))["recalibrated"]
    found: dict[str, Any] = {"retrained": aim}
    for name, change in CHANGES.items():
        found[name] = {}
        for budget in BUDGETS:
            accuracy = revise(run, change, budget)["recalibrated"]
            gaps = sum(abs(accuracy[part] - aim[part]) for part in ("forget", "remain"))
            found[name][f"{budget:.0%}"] = {
                **{part: round(accuracy[part], 2) for part in ("forget", "remain")},
                "sum_of_gaps": round(gaps, 2),
            }
        print(task.name, name, found[name], file=sys.stderr, flush=True)
    return found


def main() -> None:
    options = parser_of(__doc__, work="psg", data=True).parse_args()
    torch.set_num_threads(1)
    document: dict[str, Any] = {
        "facts": facts("monai-unlearn", "torch", "monai", "numpy", seeds=1),
        "settings": {"psg": quality.PSG_SETTINGS, "rate": quality.PSG_RATE, "clip": quality.CLIP},
        "tasks": {name: measure(quality.TASKS[name](data_folder(options)), options.work) for name in TASKS},
    }
    write(document, "psg_choices", options.results)
    page = choices_page(document)
    (options.results / "psg_choices.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
