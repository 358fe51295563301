"""Does every method run from a bundle's command line, resume bit for bit after SIGKILL, and repeat itself?

    OMP_NUM_THREADS=1 python benchmarks/every_method.py
    OMP_NUM_THREADS=1 python benchmarks/every_method.py --case fundus_camera --methods reset psg

Two small cohorts of phantoms: a camera of fundus photographs, and a class of brain MRI. Each method runs twice with its
own settings, as `python -m monai.bundle run unlearn … --method NAME` parses them: once as it is, and once killed after
its first steps and started again. The weights of the two must be the same, which shows both that it resumes and that it
repeats itself; where they are not, a third run, which nothing interrupts, tells which of the two fails. Beside them
stand the verdict beside retrained networks, what the run cost of what the budget allows, and its seconds.

Phantoms and networks are far too small to say how well a method forgets: this is about running. What is measured
already is kept, so that a benchmark that was stopped goes on.
"""

from __future__ import annotations

import json
import shutil
import time
import warnings
from typing import TYPE_CHECKING, Any

from benchmark_options import parser_of
from demo_cohorts import Candidate
from forked_runs import WRITTEN, Case, ForkedRuns
from results_file import facts, read, write

from monai_unlearn.methods import registered
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

NAME = "every_method"
SEEDS = (1, 2)
# Of so short a training, a tenth is too few steps; some methods prepare themselves for more than that.
BUDGET = 0.6
# What a method needs beside its name. A search of all images costs more than half of so short a training allows.
OWN: dict[str, dict[str, Any]] = {
    "psg": {"budget": 0.8},
    "psg_published": {"method": {"name": "psg_published", "noise": 0.001}},
    "psg_remain": {"budget": None, "steps": 24},
}
# The first state is that before the steps, or after the only edit.
FIRST, AFTER_STEPS = 1, 3

CASES = {
    "fundus_camera": Case(
        bundle="fundus_classifier",
        candidate=Candidate(
            patients=180,
            forget="device == Cirrus 800 FA",
            epochs=6,
            drawn="--eyes 1 --size 64",
            reason="device_deprecation",
            settings={"image_size": [32, 32]},
        ),
    ),
    "brain_mri_class": Case(
        bundle="mri_classifier",
        candidate=Candidate(
            patients=180,
            forget="diagnosis == glioma",
            epochs=6,
            drawn="--slices 1 --size 64",
            settings={"image_size": [32, 32]},
        ),
    ),
}


def measure(runs: ForkedRuns, method: str) -> dict[str, Any]:
    """Run a method twice, killed and resumed the second time; if the weights differ, once more."""
    at = FIRST if registered()[method][1].one_shot else AFTER_STEPS
    found: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for name, kill_at in (("whole", None), ("killed", at), ("again", None)):
        if name == "again" and weights_of(found["whole"]) == weights_of(found["killed"]):
            break
        out, began = runs.work / f"{method}-{name}", time.perf_counter()
        code, line = run(runs, out, method, kill_at)
        if code not in WRITTEN:
            return {"runs": False, "why": f"{name}: {line}", "exit_code": code}
        seconds[name] = round(time.perf_counter() - began, 1)
        results = RunFolder(out)
        found[name] = [json.loads(path.read_text(encoding="utf-8")) for path in (results.record, results.metrics)]
        shutil.rmtree(out)
    record, evidence = found["whole"]
    weights = weights_of(found["whole"])
    resumes = weights_of(found["killed"]) == weights
    return {
        "runs": True,
        "resumes": resumes,
        "resumed_at_steps": found["killed"][0]["updates"]["resumed_at_steps"],
        "repeats": resumes or weights_of(found["again"]) == weights,
        "weights": weights,
        "verdict": evidence["verdict"],
        "steps": record["steps"],
        "budget": evidence["cost"]["budget"],
        "share_of_retraining": evidence["cost"]["share_of_retraining_gradients"],
        "seconds": seconds["whole"],
    }


def weights_of(results: list[dict[str, Any]]) -> str:
    return results[0]["digests"]["revised_weights"]


def run(runs: ForkedRuns, out: Path, method: str, kill_at: int | None) -> tuple[int, str]:
    # A checkpoint at every step, so that there is one to go on from.
    settings = {"method": method, "budget": BUDGET, "checkpoint_seconds": 0, "audits": [], **OWN.get(method, {})}
    return runs.unlearn(out, kill_at=kill_at, **settings)


def main() -> None:
    parser = parser_of(__doc__, work=NAME)
    parser.add_argument("--case", choices=tuple(CASES), action="append")
    parser.add_argument("--methods", nargs="*", help="by default, every registered method; those named run again")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    try:
        document = read(NAME, options.results)
    except FileNotFoundError:
        document = {"facts": {}, "cases": {}}
    for name in options.case or CASES:
        runs = ForkedRuns(CASES[name], options.work / name, seeds=SEEDS)
        runs.train()
        rows = document["cases"].setdefault(name, {})
        for method in options.methods or sorted(name for name, (info, _) in registered().items() if not info.composes):
            if method in rows and not options.methods:
                continue
            rows[method] = measure(runs, method)
            print(name, method, rows[method], flush=True)
            document["facts"] = facts("monai-unlearn", "monai", "torch", budget=BUDGET, retrained=len(SEEDS))
            document["cases"][name] = dict(sorted(rows.items()))
            write(document, NAME, options.results)


if __name__ == "__main__":
    main()
