"""Run the trials of a sweep, one bundle run after another, and keep those that are finished."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, DataError, ExitCode, TrainingError
from monai_unlearn.evaluation.objective import VALIDATION
from monai_unlearn.experiments.plan import ALL_SPLITS, require_validation
from monai_unlearn.experiments.report import markdown, plot
from monai_unlearn.experiments.run_configs import check_parts_of_method
from monai_unlearn.experiments.runner import WRITTEN, BundleRun
from monai_unlearn.experiments.score import CRITERIA, best, choose_criterion, figures
from monai_unlearn.experiments.sharing import sharing
from monai_unlearn.experiments.warm_runs import warm_runs
from monai_unlearn.staging import write_json, write_text
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monai_unlearn.experiments.plan import Plan, Trial

SCHEMA_VERSION = 1
RETRAIN = "retrain"


def sweep(
    plan: Plan, out: Path, *, criterion: str | None = None, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Run the trials that are not finished yet, and report which one is best.

    Writes `sweep.json`, `sweep.md` and `sweep.png`, and a folder per trial below `trials/` with its bundle run in
    `run` and its output in `log.txt`. A finished trial is not run again: its name is a digest of everything that
    decides its result. With `--reference retrain` the first run retrains, and the others use its references.

    Args:
        plan: What to run.
        out: The folder, new, empty or of an earlier sweep.
        criterion: One of `CRITERIA`, or None for the default of `choose_criterion`.
        progress: Called with the number of trials done and the number of all trials.

    Returns:
        What `sweep.json` holds.

    Raises:
        ConfigError: The criterion cannot be used, the folder is not that of a sweep, or a setting is of no method that
            is named.
        DataError: There are no validation images, or a run refused its input.
        TrainingError: Every run failed.
    """
    criterion = choose_criterion(criterion, reference=plan.reference)
    _check_folder(out)
    check_parts_of_method([plan.config], {**plan.fixed, **plan.axes})
    trials = list(plan.trials(require_validation(plan)))
    out.mkdir(parents=True, exist_ok=True)
    reference, results = plan.reference, []
    with warm_runs(), sharing(out, plan.fixed):
        for number, trial in enumerate(trials):
            progress(number, len(trials))
            folder = out / "trials" / trial.name
            results.append(_result(plan, trial, folder, reference, criterion))
            if reference == RETRAIN and (kept := RunFolder(folder / "run").references()):
                reference = json.dumps([str(path / "model.pt") for path in kept])
            document = _document(plan, results, criterion)
            write_json(out / "sweep.json", document)
    progress(len(trials), len(trials))
    if not any(result["status"] == "finished" for result in results):
        raise TrainingError(f"every run of the sweep failed: {results[-1]['error']} The logs are in {out}.")
    write_text(out / "sweep.md", markdown(document))
    plot(document, out / "sweep.png")
    return document


def run_of(plan: Plan, trial: Trial, folder: Path, reference: str | None) -> BundleRun:
    """Return the bundle run of a trial."""
    settings = {
        "index_dir": str(plan.index),
        "cohort_spec": str(plan.spec),
        "subsets::splits": ALL_SPLITS,
        **({"reference": reference} if reference else {}),
        **plan.fixed,
        **trial.settings,
    }
    return BundleRun(config=plan.config, settings=settings, folder=folder)


def _result(plan: Plan, trial: Trial, folder: Path, reference: str | None, criterion: str) -> dict[str, Any]:
    run = run_of(plan, trial, folder, reference)
    known: dict[str, Any] = {"name": trial.name, "settings": dict(trial.settings), "kept": run.is_finished}
    if not run.is_finished:
        code, error = run.execute()
        if code == ExitCode.BAD_INPUT:
            settings = ", ".join(f"{name}={value}" for name, value in trial.settings.items())
            raise DataError(f"the run with {settings} refused its input: {error}")
        if code not in WRITTEN:
            return {**known, "status": "failed", "exit_code": code, "error": error}
    found = figures(json.loads(run.output.metrics.read_text(encoding="utf-8")), criterion)
    return {**known, "status": "finished", **found}


def _document(plan: Plan, results: list[dict[str, Any]], criterion: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "config": str(plan.config),
        "axes": {name: list(values) for name, values in plan.axes.items()},
        "fixed": dict(plan.fixed),
        "reference": plan.reference,
        "split": VALIDATION,
        "criterion": {"name": criterion, "formula": CRITERIA[criterion]},
        "trials": results,
        "best": best(results),
    }


def _check_folder(out: Path) -> None:
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / "sweep.json").is_file()):
        raise ConfigError(f"--out {out}: expected a new or empty folder, or that of an earlier sweep. Choose another.")
