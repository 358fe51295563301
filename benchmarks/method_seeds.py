"""How much of a difference between methods is the seed? The rows of `method_comparison.py` once more, with other seeds.

    OMP_NUM_THREADS=1 python benchmarks/method_seeds.py --case mri_glioma
    OMP_NUM_THREADS=1 python benchmarks/method_seeds.py --case mri_glioma --methods default --budget 0.1

A row of the comparison is one run with seed 0. Here the default and the methods that compete with it run with the
seeds 1 and 2 besides, each with the settings that validation images chose in the comparison, from the same original and
against the same three retrained networks. Nothing is chosen here. Networks and runs are those of
`method_comparison.py`, below the same --work.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from benchmark_options import parser_of
from comparison_cases import CASES
from method_comparison import NAME as COMPARISON
from method_comparison import Bench, measure_each, short
from results_file import facts, read, write

from monai_unlearn.evaluation.objective import objective
from monai_unlearn.evaluation.prediction_table import PredictionTable
from monai_unlearn.experiments.comparison_row import finished
from monai_unlearn.experiments.rehearsal_runs import metrics_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

NAME = "method_seeds"
METHODS = "default,shrink_perturb,reset,finetune"
MORE = (1, 2)
# Of the table of predictions alone, so that they take no time.
AUDITS = '["distance", "recall_gap"]'
KEPT = (
    "original", "budget", "method", "seed", "verdict", "objective", "distance_ratio", "distance_ratio_forget_train",
    "recall_gap_forget_train", "recall_gap_forget_test", "recall_gap_remain_test", "remain_gap", "settings",
)  # fmt: skip


def measured(name: str, rows: Iterable[Mapping[str, Any]], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Run rows of the comparison with other seeds; yield what is kept of each run.

    Args:
        name: The cohort.
        rows: Finished rows of one original.
        options: What the command was given.
    """
    rows = list(rows)
    bench = Bench(case=name, original=rows[0]["original"], work=options.work.resolve(), data=options.data)
    with bench.further_runs("seeds") as (runs, cohort):
        for row, seed in ((row, seed) for row in rows for seed in MORE):
            more = {"budget": str(row["budget"]), "audits": AUDITS, "seed": str(seed)}
            run = runs.finish(cohort, row["method"], row["settings"], **more)
            identity = {key: row[key] for key in ("original", "budget", "method")} | {"seed": seed}
            table = PredictionTable.read(run.predictions)
            found = finished(identity, metrics_of(run), settings=row["settings"], objective=objective(table))
            yield identity | {key: value for key, value in short(found).items() if key in KEPT}


def measure(name: str, options: argparse.Namespace) -> None:
    """Run the methods on one cohort with other seeds, and write the rows beside those measured before."""
    compared = read(f"{COMPARISON}_final_{name}", options.results)["rows"]
    budgets = [options.budget] if options.budget else sorted({row["budget"] for row in compared})
    chosen = [
        row
        for row in compared
        if row["status"] == "finished"
        and row["method"] in options.methods.split(",")
        and row["budget"] in budgets
        and options.original in (None, row["original"])
    ]
    result = f"{NAME}_{name}"
    rows = read(result, options.results)["rows"] if (options.results / f"{result}.json").is_file() else []
    for original in sorted({row["original"] for row in chosen}):
        for found in measured(name, [row for row in chosen if row["original"] == original], options):
            rows = [row for row in rows if _key(row) != _key(found)] + [found]
            document = {
                "facts": facts("monai-unlearn", "monai", "torch", threads=os.environ.get("OMP_NUM_THREADS")),
                "title": CASES[name].title,
                "kind": CASES[name].kind,
                "rows": sorted(rows, key=_key),
            }
            write(document, result, options.results)
            print(name, *_key(found), found["distance_ratio"]["value"], flush=True)


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["original"], row["budget"], row["method"], row["seed"]


def main() -> None:
    parser = parser_of(__doc__, work="method_comparison", data=True)
    parser.add_argument("--case", choices=list(CASES), action="append")
    parser.add_argument("--methods", default=METHODS, help=f"by commas; {METHODS} without it")
    parser.add_argument("--budget", type=float, help="only this share of retraining's gradients")
    parser.add_argument("--original", type=int, help="only this network")
    measure_each(parser.parse_args(), measure)


if __name__ == "__main__":
    main()
