"""Which method comes nearest to retraining, on which kind of cohort? The tables of docs/methods/comparison.md.

    OMP_NUM_THREADS=1 python benchmarks/method_comparison.py screen --jobs 2
    OMP_NUM_THREADS=1 python benchmarks/method_comparison.py final --jobs 2
    OMP_NUM_THREADS=1 python benchmarks/method_comparison.py screen --case mri_glioma --jobs 2

*screen*: every method with its paper's settings at up to three rates, 10 % of retraining's gradients, on four cohorts.
*final*: fine-tuning, PSG, PSG with a labeller trained on remain, boundary shrinking, the bundle's default as it chooses
by itself, and the three that were best on validation images of the screen; six settings each, at 10 and 20 %. Both are
`monai-unlearn compare`, with three retrained networks for each cohort, so that a run that was stopped goes on; finished
runs are kept below --work. Of images and networks nothing is committed but rows of figures.

Settings are chosen on validation images; the figures of a row are on test images, which choose nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark_options import data_folder, parser_of
from comparison_cases import CASES, IMAGES
from demo_cohorts import BUNDLES
from results_file import ROOT, facts, read, write

from monai_unlearn.experiments.compare import README, compare
from monai_unlearn.experiments.comparison_plan import ComparisonPlan
from monai_unlearn.experiments.draw import given_cohort
from monai_unlearn.experiments.rehearsal_runs import RehearsalRuns
from monai_unlearn.experiments.sharing import sharing
from monai_unlearn.index import Index
from monai_unlearn.strict_yaml import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.experiments.draw import RehearsalCohort

NAME = "comparison"
SEEDS = 3
# No method by themselves; and rewind needs states that training kept.
CONTROLS = ("retrain", "batch_norm_only", "composition", "rewind")
FIXED_FINAL = ("default", "reset", "finetune", "psg", "psg_remain", "boundary_shrink")
BEST = 3
STAGES: dict[str, dict[str, Any]] = {
    "screen": {"budgets": (0.1,), "trials": 3, "vary": ("training::rate_factor",)},
    "final": {"budgets": (0.1, 0.2), "trials": 6, "vary": ()},
}
# Of the table of predictions alone, so that they take no time; the others are looked at in the second stage.
AUDITS = {"screen": ["distance", "recall_gap", "membership"]}
KEPT = (
    "method", "budget", "status", "verdict", "objective", "distance_ratio", "distance_ratio_raw",
    "distance_ratio_forget_train", "distance_ratio_remain", "agreement", "recall_gap_forget_train",
    "recall_gap_forget_test", "recall_gap_remain_test", "membership_auc", "probe", "relearning", "forget_gap",
    "remain_gap", "remain_test_accuracy", "retrained_gaps", "share_of_retraining", "share_with_references", "seconds",
    "settings", "why",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One cohort and one original.

    Args:
        case: The name of the cohort.
        original: The seed of the network that forgets.
        work: The folder of everything that is kept between runs.
        data: The folder of real data.
    """

    case: str
    original: int
    work: Path
    data: Path | None

    @property
    def folder(self) -> Path:
        return self.work / CASES[self.case].images

    @property
    def config(self) -> Path:
        return self.folder / f"original-{self.original}" / "configs" / "unlearn.yaml"

    def prepare(self) -> tuple[Path, Path]:
        """Index the images and train the original, unless that is done; return the index and the spec."""
        images = IMAGES[CASES[self.case].images]
        self.folder.mkdir(parents=True, exist_ok=True)
        where = self.folder / "index.txt"
        if not where.is_file():
            where.write_text(str(images.index(self.data or self.work, self.folder)), encoding="utf-8")
        index = self.folder / where.read_text(encoding="utf-8")
        spec = CASES[self.case].write_spec(self.case, index, self.folder / f"{self.case}.yaml")
        trained = self.folder / f"original-{self.original}-is-trained"
        if not trained.is_file():
            shutil.copytree(BUNDLES / images.bundle, self.config.parents[1], dirs_exist_ok=True)
            words = {**images.settings, "max_epochs": images.epochs, "seed": self.original, "device": "cpu"}
            if "population" in load(spec.read_text(encoding="utf-8"), source=str(spec)):
                words["cohort_spec"] = str(spec)
            self._train(index, words)
            trained.touch()
        return index, spec

    def _train(self, index: Path, words: Mapping[str, object]) -> None:
        given = [f"--{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in words.items()]
        config = str(self.config.with_name("train.yaml"))
        command = [sys.executable, "-W", "ignore", "-m", "monai.bundle", "run", "train", "--config_file", config]
        done = subprocess.run(
            [*command, f"--index_dir={index}", *given], check=False, cwd=ROOT, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"training for {self.case} failed: {done.stderr.strip().splitlines()[-1]}")

    def fixed(self, stage: str) -> dict[str, str]:
        """The settings of every run, as text."""
        images = IMAGES[CASES[self.case].images]
        settings = {
            **images.settings,
            "device": "cpu",
            "decision::healthy_classes": list(images.healthy),
            # Two classes: boundary targets are shown for what they do.
            "force": True,
            **({"audits": AUDITS[stage], "audit_share": 1} if stage in AUDITS else {}),
        }
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}

    def compared(self, stage: str, methods: Sequence[str], budgets: Sequence[float], jobs: int) -> list[dict[str, Any]]:
        """Compare methods; return the rows of `compare.json`, in short."""
        index, spec = self.prepare()
        out = self.work / f"{self.case}-{self.original}"
        plan = ComparisonPlan(
            config=self.config,
            index=index,
            specs=[spec],
            methods=methods,
            seeds=SEEDS,
            fixed=self.fixed(stage),
            jobs=jobs,
            **{**STAGES[stage], "budgets": budgets},
        )
        self._take_references(plan, out)
        found = compare(plan, out, progress=lambda what, done, total: _say(f"{what} {done}/{total}"))["rows"]
        # What earlier calls left there may be of another stage, with other trials.
        asked = [row for row in found if row["method"] in methods and row["budget"] in budgets]
        return [{"original": self.original, **short(row)} for row in asked]

    @contextmanager
    def further_runs(self, folder: str) -> Iterator[tuple[RehearsalRuns, RehearsalCohort]]:
        """Yield the runs of the final stage with their cohort, to add some; these share decoded images meanwhile.

        Args:
            folder: The name of the folder in which the images lie for that time.
        """
        path, spec = self.prepare()
        index, fixed = Index.open(path), self.fixed("final")
        out = self.work / f"{self.case}-{self.original}"
        (shared := out / folder).mkdir(parents=True, exist_ok=True)
        _claim(out)
        with sharing(shared, fixed):
            runs = RehearsalRuns(
                config=self.config, index=path, index_digest=index.digest, fixed=fixed, seeds=SEEDS, out=out, threads=1
            )
            yield runs, given_cohort(spec, index)

    def _take_references(self, plan: ComparisonPlan, out: Path) -> None:
        """Use the networks that were retrained without the cohort for another original or stage: they are the same.

        What decides them are the images and the training config, and neither the original nor how it is revised.
        """
        index = Index.open(plan.index)
        [cohort] = [given_cohort(path, index) for path in plan.specs]
        runs = RehearsalRuns(
            config=plan.config, index=plan.index, index_digest=index.digest, fixed=plan.fixed, seeds=SEEDS, out=out
        )
        others = sorted(self.work.glob(f"{self.case}-*/cohorts/*/*/run/evidence/reference"))
        whole = [path.parent for path in others if len(list(path.glob("*/model.pt"))) == SEEDS]
        if whole and not runs.kept(cohort):
            there = runs.folder(cohort) / "retrained" / "run" / "evidence"
            shutil.copytree(whole[0], there, dirs_exist_ok=True)
            _claim(out)


def _claim(out: Path) -> None:
    """Write that by which a folder is known as that of a comparison, so that one may go on there."""
    (out / "README.md").write_text(README, encoding="utf-8")


def measure_each(options: argparse.Namespace, measure: Callable[[str, argparse.Namespace], None]) -> None:
    """Measure on each cohort that is asked for, and whose images are there."""
    options.data = data_folder(options) if options.data else None
    for name in options.case or CASES:
        if options.data is not None or not IMAGES[CASES[name].images].real:
            measure(name, options)


def _say(text: str) -> None:
    print(f"\r{text:70}", end="", file=sys.stderr, flush=True)


def short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is committed of a row: of a measure its value and those of the retrained networks."""
    # Where the log of a failed run lies says nothing to others.
    why = {"why": str(row.get("why", "")).partition(" Its log is")[0]}
    return (
        {key: _rounded(row[key]) for key in KEPT if row.get(key) is not None}
        | why
        | {
            "tried": [_rounded(one) for one in row.get("tried", ())],
            "classes": _rounded(row.get("classes")),
        }
    )


def _rounded(value: Any) -> Any:  # noqa: ANN401 - plain values
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return value


def finalists(screened: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the three methods with the best mean rank on validation images of the screened cohorts, beside those set.

    Args:
        screened: The rows of each screened cohort.
    """
    ranks: dict[str, list[float]] = {}
    for case in screened:
        rows = [row for row in case["rows"] if row["method"] not in FIXED_FINAL]
        ordered = sorted(rows, key=lambda row: row.get("objective", float("inf")))
        for place, row in enumerate(ordered):
            ranks.setdefault(row["method"], []).append(place)
    return sorted(ranks, key=lambda name: (sum(ranks[name]) / len(ranks[name]), name))[:BEST]


def measure(stage: str, name: str, options: argparse.Namespace, methods: Sequence[str]) -> None:
    """Compare on one cohort, and write its rows."""
    images = IMAGES[CASES[name].images]
    if images.real and options.data is None:
        return
    budgets = [options.budget] if options.budget else STAGES[stage]["budgets"]
    originals = images.originals if stage == "final" else images.originals[:1]
    if options.original is not None:
        originals = (options.original,)
    result = f"{NAME}_{stage}_{name}"
    rows = read(result, options.results)["rows"] if (options.results / f"{result}.json").is_file() else []
    for original in originals:
        bench = Bench(case=name, original=original, work=options.work.resolve(), data=options.data)
        found = bench.compared(stage, methods, budgets, options.jobs)
        # What other calls measured of the cohort stays.
        keys = {_key(row) for row in found}
        rows = [row for row in rows if _key(row) not in keys] + found
    document = {
        "facts": facts("monai-unlearn", "monai", "torch", "optuna", threads=os.environ.get("OMP_NUM_THREADS")),
        "stage": stage,
        "title": CASES[name].title,
        "kind": CASES[name].kind,
        "retrained": SEEDS,
        "rows": sorted(rows, key=lambda row: (row["original"], row["budget"], row.get("objective", float("inf")))),
    }
    write(document, result, options.results)
    print(f"\n{stage} {name}: {len(rows)} rows", flush=True)


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["original"], row["budget"], row["method"]


def screened(options: argparse.Namespace) -> list[dict[str, Any]]:
    names = [name for name, case in CASES.items() if case.screened]
    paths = [options.results / f"{NAME}_screen_{name}.json" for name in names]
    return [read(path.stem, options.results) for path in paths if path.is_file()]


def main() -> None:
    parser = parser_of(__doc__, work="method_comparison", data=True)
    parser.add_argument("stage", choices=list(STAGES))
    parser.add_argument("--case", choices=list(CASES), action="append")
    parser.add_argument("--methods", help="only these, by commas")
    parser.add_argument("--budget", type=float, help="only this share of retraining's gradients")
    parser.add_argument("--original", type=int, help="only this network")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    options.data = data_folder(options) if options.data else None
    if options.methods:
        methods = options.methods.split(",")
    elif options.stage == "final":
        methods = [*FIXED_FINAL, *finalists(screened(options))]
    else:
        from monai_unlearn.methods import registered

        methods = ["default", *(name for name in sorted(registered()) if name not in CONTROLS)]
    for name in options.case or CASES:
        if options.stage == "final" or CASES[name].screened or options.case:
            measure(options.stage, name, options, methods)


if __name__ == "__main__":
    main()
