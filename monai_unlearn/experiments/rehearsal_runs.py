"""The bundle runs of a rehearsal: named by what decides them, with one set of retrained networks for each cohort."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision import Verdict
from monai_unlearn.experiments.plan import ALL_SPLITS, file_digests, name_of
from monai_unlearn.experiments.runner import RUN, BundleRun
from monai_unlearn.experiments.search_space import DEFAULT, method_setting
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.experiments.draw import RehearsalCohort
    from monai_unlearn.experiments.search_space import Setting

COHORTS = "cohorts"
RETRAIN = "retrain"
SET_BY_REHEARSE = {
    "index_dir": "--index",
    "cohort_spec": "--spec",
    "output_dir": "--out",
    "reference": "it retrains",
    "reference_seeds": "--seeds",
    "subsets::splits": "it evaluates all three splits",
    "stop": "a run by a protocol has no retrained network to stop by",
    "method": "--methods",
    "protocol": "it writes one",
    "accept_bound": "it is about a protocol",
}
"""Config ids that the command sets, and where their values come from."""
# What retraining does not depend on: another method, budget, margin or audit does not retrain.
_OF_THE_REVISION = ("audit_share", "audits", "budget", "decision", "force", "method")
_JUDGED_OTHERWISE = (Verdict.ERASED.value, Verdict.NOT_ERASED.value)


@dataclass(frozen=True, kw_only=True)
class RehearsalRuns:
    """What all runs of a rehearsal share.

    Args:
        config: The bundle's `unlearn.yaml`.
        index: The index's folder.
        index_digest: Its digest.
        fixed: Settings that all runs share, as text.
        seeds: How many networks are retrained without each cohort.
        out: The folder of the rehearsal.
        threads: How many threads each run computes with; None leaves it open.
    """

    config: Path
    index: Path
    index_digest: str
    fixed: Mapping[str, str]
    seeds: int
    out: Path
    threads: int | None = None

    @cached_property
    def _files(self) -> list[str]:
        return file_digests(self.config, checkpoint=self.fixed.get("checkpoint"))

    def _decides_retraining(self, cohort: RehearsalCohort) -> list[object]:
        digests = [cohort.spec.digest, self.index_digest]
        fixed = {key: value for key, value in self.fixed.items() if key.partition("::")[0] not in _OF_THE_REVISION}
        return [digests, self._files, self.config.name, {RETRAIN: self.seeds}, fixed]

    @cached_property
    def identity(self) -> str:
        """A digest of what all runs have in common: bundle, index, number of retrained networks, what is fixed."""
        return name_of([self.index_digest, self._files, self.config.name, self.seeds, dict(self.fixed)])

    def folder(self, cohort: RehearsalCohort) -> Path:
        """Return the folder of all runs of a cohort, which share its retrained networks."""
        return self.out / COHORTS / f"{cohort.spec.name}-{name_of(self._decides_retraining(cohort))}"

    def run(self, cohort: RehearsalCohort, method: str, settings: Mapping[str, Setting], **more: str) -> BundleRun:
        """Return the run of a method on a cohort, finished or not.

        Args:
            cohort: The cohort.
            method: The method's name, or `default` for what the config says.
            settings: Its settings by id.
            more: Further settings as text, by their ids.
        """
        # Parts of a method have no place of their own beside it: the section is given whole.
        own, others = method_setting(method, {key: _value(text) for key, text in self.fixed.items()})
        named, beside = method_setting(method, settings)
        named = own | named
        method_given = {} if method == DEFAULT else {"method": json.dumps(named)}
        given = {**method_given, **{key: _text(value) for key, value in beside.items()}, **more}
        name = name_of([*self._decides_retraining(cohort), dict(self.fixed), given])
        return BundleRun(
            config=self.config,
            settings={
                "index_dir": str(self.index),
                "cohort_spec": str(cohort.path),
                "subsets::splits": ALL_SPLITS,
                "stop": "{}",
                **self._reference(cohort),
                **{key: self.fixed[key] for key in others},
                **given,
            },
            folder=self.folder(cohort) / f"{method}-{name}",
        )

    def finish(self, cohort: RehearsalCohort, method: str, settings: Mapping[str, Setting], **more: str) -> RunFolder:
        """Run a method on a cohort unless that is done; the first run of a cohort retrains for all others.

        Raises:
            ConfigError: The bundle's decision does not compare with retrained networks.
            DataError: The run refused its input.
            TrainingError: The run failed.
        """
        found = self.run(cohort, method, settings, **more).finish(threads=self.threads)
        if metrics_of(found)["verdict"] in _JUDGED_OTHERWISE:
            raise ConfigError(
                f"{self.config}: every run here is compared with retrained networks, but the decision has objective: "
                "erase, which needs none. Give --fix decision::objective=match_reference, or run the bundle by itself."
            )
        return found

    def _reference(self, cohort: RehearsalCohort) -> dict[str, str]:
        kept = self.kept(cohort)
        if kept:
            return {"reference": json.dumps([str(path / "model.pt") for path in kept])}
        return {"reference": RETRAIN, "reference_seeds": str(self.seeds)}

    def kept(self, cohort: RehearsalCohort) -> list[Path]:
        """Return the folders of the networks that a finished run retrained without a cohort."""
        runs = sorted(path for path in self.folder(cohort).glob(f"*/{RUN}") if RunFolder(path).metrics.is_file())
        return next((found for path in runs if len(found := RunFolder(path).references()) == self.seeds), [])


def metrics_of(run: RunFolder) -> dict[str, Any]:
    """Return what a run measured."""
    found: dict[str, Any] = json.loads(run.metrics.read_text(encoding="utf-8"))
    return found


def _value(text: str) -> Setting:
    """Return what a text on a command line stands for: a number, true, false, or the text itself."""
    try:
        found: Setting = json.loads(text)
    except ValueError:
        return text
    return found


def _text(value: Setting) -> str:
    return value if isinstance(value, str) else json.dumps(value)
