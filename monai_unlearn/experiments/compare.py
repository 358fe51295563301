"""Compares methods on the same cohorts: equal tuning, the same retrained networks, the same measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import DataError, TrainingError
from monai_unlearn.evaluation.objective import FORMULA, objective
from monai_unlearn.evaluation.prediction_table import PredictionTable
from monai_unlearn.experiments.comparison_report import write_report
from monai_unlearn.experiments.comparison_row import finished, refused
from monai_unlearn.experiments.draw import given_cohort
from monai_unlearn.experiments.earlier_table import earlier_table, put_aside
from monai_unlearn.experiments.experiment import Experiment, owned_folder
from monai_unlearn.experiments.rehearsal_runs import metrics_of
from monai_unlearn.experiments.repeats import merged
from monai_unlearn.experiments.runner import side_by_side
from monai_unlearn.experiments.search_space import check_vary, narrowed, size_of
from monai_unlearn.experiments.tune import best, tune

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.experiments.comparison_plan import ComparisonPlan
    from monai_unlearn.experiments.draw import RehearsalCohort
    from monai_unlearn.experiments.search_space import Setting, Space
    from monai_unlearn.vocabulary.run_folder import RunFolder

    Task = tuple[RehearsalCohort, str, float]
    # Shares of retraining by the folder of a run; None where one is not known.
    Spent = dict[Path, float | None]

SCHEMA_VERSION = 1
_NO_AUDITS = ("[]", "null", "None")
README = """\
# A comparison of methods

`compare.json`, `.csv`, `.md` and `.html` and the plots hold counts and means. What lies below `cohorts` stays with the
images: it holds what networks predict for each of them. Deploy none of these networks.
"""


def compare(plan: ComparisonPlan, out: Path, *, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Compare methods, and write `compare.json`, `compare.csv`, `compare.md`, `compare.html` and plots.

    For each cohort and budget, every method tries up to the same number of settings, chosen by Optuna on validation
    images, against the same retrained networks. The one that is best there is run once more with the audits, which are
    given the time they need, and gives the method's row, whose measures are on test images; with `repeats`, as often,
    each time under another seed, and the row has the means, and the least favourable verdict. A method that fails or
    refuses is a row that says why. A run is named by a digest of what decides it, and not run again once it is
    finished, so that an interrupted comparison goes on where it was. Rows of earlier calls into the folder stay, if the
    bundle, the index and what is fixed are those of now; rows that are asked for again are written anew. A table of
    other settings is put aside once a method is finished, see `earlier_table`.

    Args:
        plan: What to compare.
        out: The folder, new, empty or of an earlier comparison; made for its owner alone.
        progress: Called with what is going on, how many runs are done, and how many there may be.

    Returns:
        What `compare.json` holds.

    Raises:
        ConfigError: The plan or the bundle cannot be used, or the folder is something else's.
        DataError: A cohort cannot be resolved, or has no validation images, or every method was refused its
            input, as by a setting that no run knows.
        TrainingError: Every method failed.
    """
    with owned_folder(out, what="comparison", readme=README, fixed=plan.fixed):
        return _Comparison(plan=plan, out=out, progress=progress).run()


class _Comparison(Experiment):
    """One comparison while it goes on."""

    def __init__(self, *, plan: ComparisonPlan, out: Path, progress: Callable[[str, int, int], None]) -> None:
        super().__init__(plan=plan, out=out, progress=progress)
        self.plan = plan
        self._of_trials, self._of_rows = _audits(plan.fixed)
        self._rows: list[dict[str, Any]] = []
        self._kept: list[dict[str, Any]] = []
        self._compared: dict[str, Any] = {}
        self._waits, self._broke = False, False
        self._seed = plan.first_seed if plan.repeats > 1 else 0

    def run(self) -> dict[str, Any]:
        cohorts = [given_cohort(path, self.index) for path in self.plan.specs]
        self._names = [one.spec.name for one in cohorts]
        if len(set(self._names)) < len(self._names):
            raise DataError("two specs have the same name, by which rows are told apart. Rename one.")
        for one in cohorts:
            self.require_validation(one)
        whole = self.spaces(default=True)
        check_vary(self.plan.vary, whole, folder=self.bundle)
        spaces = {name: narrowed(space, self.plan.vary) for name, space in whole.items()}
        runs = sum(self._trials(space) + self._runs_after(space) for space in spaces.values())
        self._total = runs * len(cohorts) * len(self.plan.budgets)
        tasks = [(cohort, method, budget) for cohort in cohorts for budget in self.plan.budgets for method in spaces]
        self._take_earlier({one.spec.name: self.runs.folder(one).name for one in cohorts})
        others = [task for one in cohorts for task in self._alone([task for task in tasks if task[0] is one], spaces)]
        side_by_side(lambda task: self._add(*task, spaces), others, jobs=self.plan.jobs)
        if not any(row["status"] == "finished" for row in self._rows):
            error = TrainingError if self._broke else DataError
            raise error(f"every method failed: {self._rows[-1]['why']}")
        return self._written()

    def _alone(self, tasks: Sequence[Task], spaces: Mapping[str, Space]) -> list[Task]:
        """Run the tasks of a cohort one by one until one has retrained for all others; return what is left.

        One that is refused its input has retrained nothing, and the next would do so for itself beside others.
        """
        for number, task in enumerate(tasks, 1):
            if self._add(*task, spaces)["status"] == "finished":
                return list(tasks[number:])
        return []

    def _take_earlier(self, folders: Mapping[str, str]) -> None:
        """Keep the rows of earlier calls into the folder that were measured on what the runs are measured on now.

        Args:
            folders: The folder of each cohort of this call, whose name is a digest of its spec among others.
        """
        found, self._waits = earlier_table(self.out, identity=self.runs.identity)
        known = found["compared"]["cohorts"] if found else {}
        same = {name for name, folder in known.items() if folders.get(name, folder) == folder}
        self._kept = [row for row in (found["rows"] if found else ()) if row["cohort"] in same]
        self._compared = {"runs": self.runs.identity, "cohorts": {**known, **folders}}

    def _trials(self, space: Space) -> int:
        """Return how many settings of a method are tried."""
        return min(self.plan.trials, size_of(space))

    def _runs_again(self, space: Space) -> bool:
        """Return whether the setting that is chosen is run once more: not where there is nothing to choose."""
        return self._of_trials != self._of_rows and self._trials(space) > 1

    def _runs_after(self, space: Space) -> int:
        """Return how many runs follow the trials of a method."""
        return self._runs_again(space) + self.plan.repeats - 1

    def _add(self, cohort: RehearsalCohort, method: str, budget: float, spaces: Mapping[str, Space]) -> dict[str, Any]:
        """Add the row of a method on a cohort, and write the report so far; return the row."""
        row = self._row(cohort, method, budget, spaces[method])
        with self._lock:
            self._rows.append(row)
            if self._waits and row["status"] == "finished":
                put_aside(self.out)
                self._waits = False
            if not self._waits:
                self._written()
        return row

    def _row(self, cohort: RehearsalCohort, method: str, budget: float, space: Space) -> dict[str, Any]:
        identity = {"cohort": cohort.spec.name, "method": method, "budget": budget}
        what, errors = f"{method} on {cohort.spec.name}", list[str]()
        spent: Spent = {}
        left = self._runs_after(space)
        of_trials = self._of_trials if self._runs_again(space) else self._of_rows

        def finish(settings: Mapping[str, Setting], audits: Mapping[str, str]) -> RunFolder:
            # A control says its own budget.
            more = {} if "budget" in settings else {"budget": str(budget)}
            return self._finish(cohort, method, settings, {**more, **audits}, spent)

        def evaluate(settings: Mapping[str, Setting]) -> float:
            self.going_on(what)
            try:
                return objective(PredictionTable.read(finish(settings, of_trials).predictions))
            except (DataError, TrainingError) as error:
                errors.append(str(error))
                raise TrainingError(str(error)) from None
            finally:
                self.one_done(what)

        try:
            tried = tune(space, evaluate, trials=self.plan.trials, seed=self.plan.seed)
            chosen = best(tried)
            errors.clear()  # of settings that were not chosen
            runs = []
            for number in range(self.plan.repeats):
                runs.append(finish(chosen.settings, {**self._of_rows, **self._seeded(number)}))
                if number or self._runs_again(space):
                    self.one_done(what)
                    left -= 1
        except (DataError, TrainingError) as error:
            return refused(identity, errors[-1] if errors else str(error))
        finally:
            for _ in range(left):
                self.one_done(what)
        more = {
            "settings": dict(chosen.settings),
            "objective": chosen.objective,
            "tried": [one.to_dict() for one in tried],
            "share_of_all_runs": _sum(spent.values()),
        }
        return merged([finished(identity, metrics_of(run), **more) for run in runs])

    def _finish(
        self,
        cohort: RehearsalCohort,
        method: str,
        settings: Mapping[str, Setting],
        more: Mapping[str, str],
        spent: Spent,
    ) -> RunFolder:
        """Finish a run, and note what it cost, or that one failed which was not refused."""
        try:
            run = self.runs.finish(cohort, method, settings, **more)
        except TrainingError:
            self._broke = True
            raise
        spent[run.root] = metrics_of(run)["cost"]["share_of_retraining_gradients"]
        return run

    def _seeded(self, number: int) -> dict[str, str]:
        """Return what a run is told about its seed: the first nothing beyond what is fixed."""
        return {} if number == 0 else {"seed": str(self._seed + number)}

    def _written(self) -> dict[str, Any]:
        """Write the report of the rows so far, in the order of cohorts, budgets and the objective."""
        names = list(dict.fromkeys([*self._names, *(row["cohort"] for row in self._kept)]))
        measured = {_place(row) for row in self._rows}
        rows = sorted(
            [*(row for row in self._kept if _place(row) not in measured), *self._rows],
            key=lambda row: (
                names.index(row["cohort"]),
                row["budget"],
                row.get("objective", float("inf")),
                row["method"],
            ),
        )
        document = {
            "schema_version": SCHEMA_VERSION,
            "criterion": FORMULA,
            "compared": self._compared,
            "seeds": self.plan.seeds,
            "trials": self.plan.trials,
            "repeats": self.plan.repeats,
            "runs": {"done": self._done, "planned": self._total},
            "rows": rows,
        }
        write_report(document, self.out)
        return document


def _sum(shares: Collection[float | None]) -> float | None:
    """Return the sum, or None where one is not known: weights may have no training record."""
    known = [one for one in shares if one is not None]
    return sum(known) if len(known) == len(shares) else None


def _place(row: Mapping[str, Any]) -> tuple[str, float, str]:
    return row["cohort"], row["budget"], row["method"]


def _audits(fixed: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what trials and the runs of rows are told about audits, but for what the user fixes for both.

    Audits choose nothing, so that trials have none; those of a row are not to be left out for want of time.

    >>> _audits({})
    ({'audits': '[]'}, {'audit_share': '1'})
    >>> _audits({"audits": "[]"})
    ({}, {})
    """
    if fixed.get("audits") in _NO_AUDITS:
        return {}, {}
    told = ({"audits": "[]"}, {"audit_share": "1"})
    trials, rows = ({name: value for name, value in one.items() if name not in fixed} for one in told)
    return trials, rows
