"""Run the trials of a sweep, one bundle run after another, and keep those that are finished."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, DataError, ExitCode, TrainingError
from monai_unlearn.experiments.plan import VALIDATION, require_validation
from monai_unlearn.experiments.report import markdown, plot
from monai_unlearn.experiments.score import CRITERIA, best, choose_criterion, figures
from monai_unlearn.safe_path import module_command, safe_environment
from monai_unlearn.staging import write_json, write_text
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monai_unlearn.experiments.plan import Plan, Trial

SCHEMA_VERSION = 1
RETRAIN = "retrain"
# Exit codes after which a run has written its evidence.
_WRITTEN = (ExitCode.DONE, ExitCode.NOT_ACCEPTED)


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
        ConfigError: The criterion cannot be used, or the folder is not that of a sweep.
        DataError: There are no validation images, or a run refused its input.
        TrainingError: Every run failed.
    """
    criterion = choose_criterion(criterion, reference=plan.reference)
    _check_folder(out)
    trials = list(plan.trials(require_validation(plan)))
    out.mkdir(parents=True, exist_ok=True)
    reference, results = plan.reference, []
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


def command(plan: Plan, trial: Trial, folder: Path, reference: str | None) -> list[str]:
    """Return the command line of a trial's bundle run."""
    settings = {
        "index_dir": str(plan.index),
        "cohort_spec": str(plan.spec),
        "output_dir": str(folder / "run"),
        "subsets::splits": f"['train','{VALIDATION}','test']",
        **({"reference": reference} if reference else {}),
        **plan.fixed,
        **trial.settings,
    }
    words = [f"--{name}={value}" for name, value in settings.items()]
    # A bundle's own modules lie in its folder, as they do in MONAI's model zoo.
    bundle = plan.config.parent.parent.resolve()
    return module_command("monai.bundle", "run", "unlearn", "--config_file", str(plan.config), *words, folder=bundle)


def _result(plan: Plan, trial: Trial, folder: Path, reference: str | None, criterion: str) -> dict[str, Any]:
    metrics = RunFolder(folder / "run").metrics
    known: dict[str, Any] = {"name": trial.name, "settings": dict(trial.settings), "kept": metrics.is_file()}
    if not metrics.is_file():
        code, error = _run(command(plan, trial, folder, reference), folder)
        if code == ExitCode.BAD_INPUT:
            settings = ", ".join(f"{name}={value}" for name, value in trial.settings.items())
            raise DataError(f"the run with {settings} refused its input: {error}")
        if code not in _WRITTEN:
            return {**known, "status": "failed", "exit_code": code, "error": error}
    found = figures(json.loads(metrics.read_text(encoding="utf-8")), criterion)
    return {**known, "status": "finished", **found}


def _run(words: list[str], folder: Path) -> tuple[int, str]:
    """Run a trial; return its exit code and the last line it printed."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log.txt"
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(  # noqa: S603 - no shell; the words are the user's own command
            words, stdout=stream, stderr=subprocess.STDOUT, check=False, env=safe_environment()
        )
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return done.returncode, (lines[-1] if lines else "it printed nothing.").removeprefix("Error: ")


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
