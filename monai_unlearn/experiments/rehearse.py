"""Rehearses a revision on cohorts like the real one, and writes the protocol that it is then made by."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.decision.target import MIN_PROXIES
from monai_unlearn.evaluation.objective import FORMULA, objective
from monai_unlearn.evaluation.prediction_table import PredictionTable
from monai_unlearn.experiments.alike import Likeness
from monai_unlearn.experiments.deep import RUNS_OF_A_PAIR, Deep, klom_of
from monai_unlearn.experiments.draw import draw, given_cohort
from monai_unlearn.experiments.drawn_spec import open_folder
from monai_unlearn.experiments.experiment import Experiment, owned_folder
from monai_unlearn.experiments.few_patients import few_patients, in_words
from monai_unlearn.experiments.predictor_errors import predictor_errors
from monai_unlearn.experiments.rehearsal_report import PLOT, markdown, plot
from monai_unlearn.experiments.runner import side_by_side
from monai_unlearn.experiments.search_space import size_of
from monai_unlearn.experiments.tune import Tried, best, tune
from monai_unlearn.experiments.write_protocol import Rehearsed, protocol_of
from monai_unlearn.staging import write_json, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.evaluation.decision.protocol import Protocol
    from monai_unlearn.experiments.draw import RehearsalCohort
    from monai_unlearn.experiments.rehearsal_plan import RehearsalPlan
    from monai_unlearn.experiments.search_space import Setting, Space

SCHEMA_VERSION = 1
DOCUMENT, PROTOCOL, SPECS = "rehearse.json", "protocol.yaml", "specs"
README = """\
# A rehearsal

This folder stays with the images: it holds keys of patients and what networks predict for each image. Do not pass it
on, but for `protocol.yaml`, which holds counts and digests.

The networks below `cohorts` were made to learn how the real revision will turn out. Deploy none of them.
"""


def rehearse(
    plan: RehearsalPlan,
    out: Path,
    *,
    progress: Callable[[str, int, int], None],
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Rehearse, and write `protocol.yaml`, `rehearse.json`, `rehearse.md` and `rehearse.png`.

    1. Cohorts are given or drawn; some choose the settings of each method, and then the method, by validation images.
    2. Every method is run with its one setting on the others, and each result is judged against networks retrained
       without that cohort. The protocol is that of the method chosen before.
    3. Where the plan is deep, many small networks forget the first of these cohorts by the protocol's method, and KLoM
       compares them with as many that were trained without it.

    A run is named by a digest of what decides it, and not run again once it is finished.

    The real cohort stays in the remain part of the rehearsal: the deployed network was trained on it, so a retrained
    one must differ from it by the rehearsal cohort alone.

    Args:
        plan: What to rehearse.
        out: The folder, new, empty or of an earlier rehearsal; made for its owner alone.
        progress: Called with what is going on, how many runs are done, and how many there will be.
        note: Called before the first run with what a user may want to change first: a cohort that no verdict can
            decide about.

    Returns:
        What `rehearse.json` holds.

    Raises:
        ConfigError: The plan or the bundle cannot be used, or the folder is something else's.
        DataError: There are no such cohorts, no validation images, or a run refused its input.
        TrainingError: A run failed.
    """
    with owned_folder(out, what="rehearsal", readme=README, fixed=plan.fixed):
        open_folder(out / SPECS)
        return _Rehearsal(plan=plan, out=out, progress=progress, note=note).run()


class _Rehearsal(Experiment):
    """One rehearsal while it goes on."""

    def __init__(
        self,
        *,
        plan: RehearsalPlan,
        out: Path,
        progress: Callable[[str, int, int], None],
        note: Callable[[str], None],
    ) -> None:
        super().__init__(plan=plan, out=out, progress=progress)
        self.plan, self._note = plan, note

    def run(self) -> dict[str, Any]:
        started = time.perf_counter()
        tuning, counting = self._cohorts()
        few = {one.spec.name: self._few_patients(one) for one in (*tuning, *counting)}
        spaces = self.spaces()
        trials = {name: min(self.plan.trials, size_of(space)) if tuning else 0 for name, space in spaces.items()}
        extra = len(self.plan.predictors) * len(counting) + RUNS_OF_A_PAIR * self.plan.deep
        self._total = sum(trials.values()) * len(tuning) + len(spaces) * len(counting) + extra
        tried = {name: self._tried(name, space, tuning) for name, space in spaces.items()}
        chosen = min(tried, key=lambda name: best(tried[name]).objective) if tuning else next(iter(tried))
        settings = {name: best(found).settings for name, found in tried.items()}
        counted = self._counted(settings, counting, first=chosen)
        predictors = [self._predictor(name, chosen, settings[chosen], counting) for name in self.plan.predictors]
        protocols = {
            name: protocol_of(
                name,
                settings[name],
                counted=counted[name],
                tuned=[self._rehearsed(one, name, settings[name]) for one in tuning],
                fixed=self.plan.fixed,
                predictors=predictors if name == chosen else (),
            )
            for name in spaces
        }
        protocols[chosen].write(self.out / PROTOCOL)
        document = {
            "schema_version": SCHEMA_VERSION,
            "bundle": protocols[chosen].to_dict()["bundle"],
            "cohorts": [
                {**_described(one, role=role), "few_patients": few[one.spec.name]}
                for role, cohorts in (("tuned", tuning), ("counted", counting))
                for one in cohorts
            ],
            "criterion": FORMULA,
            "seeds": self.plan.seeds,
            "methods": [
                self._method(name, tried[name], counted[name], protocols[name], is_chosen=name == chosen)
                for name in sorted(spaces, key=lambda name: (name != chosen, best(tried[name]).objective))
            ],
            "chosen": chosen,
            "protocol": str(self.out / PROTOCOL),
            "protocol_digest": protocols[chosen].digest,
            "line": protocols[chosen].rehearsal.line,
            "seconds": round(time.perf_counter() - started, 1),
        }
        if self.plan.deep:
            # Hours may go by: what was found so far is written first.
            write_json(self.out / DOCUMENT, document)
            document["deep"] = self._deep(chosen, settings[chosen], counting[0])
        write_json(self.out / DOCUMENT, document)
        write_text(self.out / "rehearse.md", markdown(document))
        plot(document, self.out / PLOT)
        return document

    def _few_patients(self, cohort: RehearsalCohort) -> dict[str, dict[str, int]]:
        """Return the classes that no verdict can decide about, and say so before hours of training."""
        found = few_patients(cohort, self.index, config=self.plan.config, fixed=self.plan.fixed)
        if found:
            self._note(in_words(cohort.spec.name, found))
        return found

    def _cohorts(self) -> tuple[list[RehearsalCohort], list[RehearsalCohort]]:
        """Return the cohorts that choose settings, and those that are counted.

        Raises:
            DataError: There are none to count, one occurs twice, or one that chooses has no validation images.
        """
        plan = self.plan
        first, *others = [given_cohort(path, self.index) for path in plan.specs]
        real = Likeness.of(first.spec.resolve(self.index))
        given = [given_cohort(one.path, self.index, real=real) for one in others]
        if plan.draw:
            count = plan.draw + plan.tune_on
            drawn = draw(first.path, self.index, self.out / SPECS, count=count, given=given, seed=plan.seed)
            tuning, counting = drawn[: plan.tune_on], [*given, *drawn[plan.tune_on :]]
        else:
            together = [first, *given]
            tuning, counting = together[: plan.tune_on], together[plan.tune_on :]
        if not counting:
            raise DataError(
                f"{len(tuning)} cohorts are given, and all of them would choose settings: a cohort that chose cannot "
                "be counted. Give more --spec, --draw some, or --tune-on fewer."
            )
        digests = [one.spec.digest for one in (*tuning, *counting)]
        if len(set(digests)) < len(digests):
            raise DataError("a cohort is given twice. Give each spec once.")
        for one in tuning:
            self.require_validation(one)
        return tuning, counting

    def _tried(self, method: str, space: Space, cohorts: Sequence[RehearsalCohort]) -> list[Tried]:
        """Try settings of a method on the cohorts that choose; without such, there is only the first."""
        if not cohorts:
            return tune(space, lambda _: 0.0, trials=1, seed=self.plan.seed)

        def evaluate(settings: Mapping[str, Setting]) -> float:
            def one(cohort: RehearsalCohort) -> float:
                run = self._finish(f"choosing settings of {method}", cohort, method, settings)
                return objective(PredictionTable.read(run.run.predictions))

            values = side_by_side(one, cohorts, jobs=self.plan.jobs)
            return math.fsum(values) / len(values)

        return tune(space, evaluate, trials=self.plan.trials, seed=self.plan.seed)

    def _counted(
        self, settings: Mapping[str, Mapping[str, Setting]], cohorts: Sequence[RehearsalCohort], *, first: str
    ) -> dict[str, list[Rehearsed]]:
        """Run every method with its setting on every cohort that is counted, the chosen method first."""
        order = sorted(settings, key=lambda name: name != first)
        numbers = {id(one): number for number, one in enumerate(cohorts, 1)}

        def one(cohort: RehearsalCohort) -> dict[str, Rehearsed]:
            what = f"cohort {numbers[id(cohort)]} of {len(cohorts)}"
            return {name: self._finish(what, cohort, name, settings[name]) for name in order}

        found = side_by_side(one, cohorts, jobs=self.plan.jobs)
        return {name: [by_method[name] for by_method in found] for name in order}

    def _predictor(
        self, name: str, method: str, settings: Mapping[str, Setting], cohorts: Sequence[RehearsalCohort]
    ) -> dict[str, Any]:
        def one(cohort: RehearsalCohort) -> Mapping[str, Any]:
            return self._finish(f"measuring {name}", cohort, method, settings, predictor=name).metrics

        runs = side_by_side(one, cohorts, jobs=self.plan.jobs)
        reasons = [cohort.spec.reason.value for cohort in cohorts]
        # Of a predictor that trains none, the original is the one network that predicts.
        seeds = max(1, min(one["cost"].get("proxies", MIN_PROXIES) for one in runs))
        return predictor_errors(name, runs, reasons=reasons, seeds=seeds)

    def _deep(self, method: str, settings: Mapping[str, Setting], cohort: RehearsalCohort) -> dict[str, Any]:
        """Return KLoM of the protocol's method on one cohort."""
        deep = Deep(runs=self.runs, cohort=cohort, method=method, settings=settings, small=self.plan.small)
        what = f"{self.plan.deep} pairs of small networks"
        self.going_on(what)
        numbers = range(1, self.plan.deep + 1)
        tables = side_by_side(lambda one: deep.pair(one, lambda: self.one_done(what)), numbers, jobs=self.plan.jobs)
        return {
            "cohort": cohort.spec.name,
            "method": method,
            "networks": self.plan.deep,
            "small": dict(self.plan.small),
            "klom": klom_of(tables),
        }

    def _finish(
        self, what: str, cohort: RehearsalCohort, method: str, settings: Mapping[str, Setting], **more: str
    ) -> Rehearsed:
        self.going_on(what)
        found = self.runs.finish(cohort, method, settings, **more)
        self.one_done(what)
        return Rehearsed(cohort=cohort, run=found)

    def _rehearsed(self, cohort: RehearsalCohort, method: str, settings: Mapping[str, Setting]) -> Rehearsed:
        """Return the run, which is finished, of a setting that was chosen."""
        return Rehearsed(cohort=cohort, run=self.runs.run(cohort, method, settings).output)

    def _method(
        self, name: str, tried: list[Tried], counted: list[Rehearsed], protocol: Protocol, *, is_chosen: bool
    ) -> dict[str, Any]:
        found, shares = best(tried), [one.metrics["cost"]["share_of_retraining_gradients"] for one in counted]
        known = [share for share in shares if share is not None]
        return {
            "name": name,
            "chosen": is_chosen,
            "settings": dict(found.settings),
            "objective": found.to_dict()["objective"] if self.plan.tune_on else None,
            "tried": [one.to_dict() for one in tried] if self.plan.tune_on else [],
            "cohorts": protocol.rehearsal.cohorts,
            "equivalent": protocol.rehearsal.equivalent,
            "bound": protocol.rehearsal.bound,
            "line": protocol.rehearsal.line,
            "verdicts": {one.cohort.spec.name: one.verdict for one in counted},
            "why": {one.cohort.spec.name: one.metrics["why"][0] for one in counted if not one.is_equivalent},
            "share_of_retraining_gradients": sum(known) / len(known) if known else None,
        }


def _described(cohort: RehearsalCohort, *, role: str) -> dict[str, Any]:
    return {
        "name": cohort.spec.name,
        "role": role,
        "kind": cohort.kind,
        "reason": cohort.spec.reason.value,
        "patients": cohort.patients,
        "images": cohort.images,
        "classes": list(cohort.classes),
        "spec_digest": cohort.spec.digest,
    }
