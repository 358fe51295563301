"""Which settings should a default have? Candidates on the cohorts of `method_comparison.py`, without a test image.

    OMP_NUM_THREADS=1 python benchmarks/default_candidates.py --case mri_glioma

Each candidate runs once, at 10 and 20 % of retraining's gradients. What is kept of a run is what a default may be
chosen by: the objective, and the distance to the three retrained networks, after one temperature fitted on validation
images, on forget validation, forget training and remain validation images. Forget training images are many, and those
of which something may be left: networks retrained without them never saw them, so that the distance on them is what a
validation set of the same size would say of a network that forgot. Test images are looked at by nothing here.

Networks and runs are those of `method_comparison.py`, below the same --work.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmark_options import parser_of
from comparison_cases import CASES
from method_comparison import Bench, measure_each
from results_file import facts, write

from monai_unlearn.evaluation.audits.distance import entropy, ratio_of, temperature_for
from monai_unlearn.evaluation.objective import objective
from monai_unlearn.evaluation.prediction_table import PredictionTable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

NAME = "default_candidates"
BUDGETS = (0.1, 0.2)
RATE = "training::rate_factor"


def shrink(kept: float, rate: float, depth: str | None = None) -> tuple[str, dict[str, Any]]:
    fresh = {} if depth is None else {"method::depth": depth}
    return "shrink_perturb", {"method::kept": kept, **fresh, RATE: rate}


EVERYWHERE = {
    **{f"kept {kept}, rate {rate}": shrink(kept, rate) for kept in (0.4, 0.5, 0.6) for rate in (0.5, 1.0)},
    "kept 0.6, fresh head, rate 0.5": shrink(0.6, 0.5, "head"),
}
OF_A_CLASS = {
    "fresh head": ("reset", {"method::depth": "head", RATE: 1.0}),
    **EVERYWHERE,
    "kept 0.8, fresh head, rate 1.0": shrink(0.8, 1.0, "head"),
}
OF_OTHERS = {"fresh last block": ("reset", {"method::depth": "last_block", RATE: 1.0}), **EVERYWHERE}


def candidates(case: str) -> Mapping[str, tuple[str, dict[str, Any]]]:
    """Return method and settings of what a cohort is tried with."""
    return OF_A_CLASS if CASES[case].kind == "class" else OF_OTHERS


def distances(table: PredictionTable) -> dict[str, float | None]:
    """Return how far the revised network is from the retrained ones, over how far these are from each other."""
    part, split = (table.frame[name].to_numpy(object) for name in ("part", "split"))
    logits = {name: np.asarray(one, np.float64) for name, one in table.logits.items()}
    retrained = [network.name for network in table.networks if network.role == "reference"]
    validation = split == "validation"
    sure = float(np.mean([entropy(logits[name][validation]) for name in retrained]))
    revised = logits["revised"] / temperature_for(logits["revised"][validation], sure)
    found = {}
    for name, rows in (
        ("forget_validation", validation & (part == "forget")),
        ("forget_train", (split == "train") & (part == "forget")),
        ("remain_validation", validation & (part == "remain")),
    ):
        others = [logits[one][rows] for one in retrained]
        value = ratio_of(revised[rows], others, np.arange(rows.sum()), seed=0).value
        found[name] = None if value is None else round(value, 4)
    return found


def measure(name: str, options: argparse.Namespace) -> None:
    """Run the candidates on one cohort, and write its rows."""
    bench = Bench(case=name, original=0, work=options.work.resolve(), data=options.data)
    result = f"{NAME}_{name}"
    rows = []
    with bench.further_runs("candidates") as (runs, cohort):
        for budget in BUDGETS:
            for words, (method, settings) in candidates(name).items():
                run = runs.finish(cohort, method, settings, budget=str(budget), audits="[]")
                table = PredictionTable.read(run.predictions)
                rows.append(
                    {"budget": budget, "candidate": words, "objective": round(objective(table), 4), **distances(table)}
                )
                print(name, rows[-1], flush=True)
    document = {
        "facts": facts("monai-unlearn", "monai", "torch", threads=os.environ.get("OMP_NUM_THREADS")),
        "title": CASES[name].title,
        "kind": CASES[name].kind,
        "rows": rows,
    }
    write(document, result, options.results)


def main() -> None:
    parser = parser_of(__doc__, work="method_comparison", data=True)
    parser.add_argument("--case", choices=list(CASES), action="append")
    measure_each(parser.parse_args(), measure)


if __name__ == "__main__":
    main()
