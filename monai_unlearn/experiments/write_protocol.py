"""From the runs of a rehearsal to its protocol."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision import Decision, Verdict, gather
from monai_unlearn.evaluation.decision.applied_protocol import CohortFacts
from monai_unlearn.evaluation.decision.endpoint import part_of
from monai_unlearn.evaluation.decision.failure_bound import bound_line, failure_bound
from monai_unlearn.evaluation.decision.held_settings import RECIPE, held_settings
from monai_unlearn.evaluation.decision.moved_range import changes
from monai_unlearn.evaluation.decision.protocol import NOT_SETTINGS, Protocol, setting_at
from monai_unlearn.evaluation.decision.unchanged import moved
from monai_unlearn.evaluation.prediction_table import PredictionTable
from monai_unlearn.experiments.rehearsal_runs import metrics_of
from monai_unlearn.experiments.search_space import method_setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monai_unlearn.evaluation.decision.moved_range import Place
    from monai_unlearn.experiments.draw import RehearsalCohort
    from monai_unlearn.experiments.search_space import Setting
    from monai_unlearn.vocabulary.run_folder import RunFolder

SLACK = 1.1
"""A cohort that is a tenth smaller than the smallest rehearsal cohort, or larger than the largest, is still of its
size: splits are random, and no two cohorts have exactly as many training patients."""
# What a protocol has a key of its own for.
_SAID_ELSEWHERE = (*NOT_SETTINGS, "budget", "decision", "stop")


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """A finished run of the chosen method on a rehearsal cohort.

    Args:
        cohort: The cohort.
        run: Its results.
    """

    cohort: RehearsalCohort
    run: RunFolder

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What it measured."""
        return metrics_of(self.run)

    @cached_property
    def table(self) -> PredictionTable:
        """What every network predicts."""
        return PredictionTable.read(self.run.predictions)

    @property
    def declared(self) -> dict[str, Any]:
        """The decision that it was judged by."""
        declared = self.metrics["decision"]["declared"]
        # What the base bundle declares is the base bundle's, and no setting of a decision.
        return {key: one for key, one in declared.items() if one is not None and key != "base_healthy_classes"}

    @property
    def verdict(self) -> str:
        """What it was found to be."""
        return str(self.metrics["verdict"])

    @property
    def is_equivalent(self) -> bool:
        """Whether the retrained networks say that it is equivalent."""
        return self.verdict == Verdict.EQUIVALENT.value

    def evidence(self) -> dict[str, Any]:
        """Return what a protocol says of it, in digests."""
        return {
            "cohort": self.cohort.spec.name,
            "spec": self.cohort.spec.digest,
            "index": self._record("run.json")["digests"]["index"],
            "verdict": self.verdict,
            "metrics": f"sha256:{hashlib.sha256(self.run.metrics.read_bytes()).hexdigest()}",
        }

    def facts(self) -> CohortFacts:
        """Return the cohort in the terms of a protocol."""
        return CohortFacts.of(self.table, reason=self.cohort.spec.reason.value, counts=self.metrics["counts"])

    def moved(self) -> tuple[dict[Place, tuple[float, float]], float]:
        """Return the limits of how far each class of the forget part moved, and how far predictions did altogether."""
        decision = Decision.from_config(self.declared, class_names=self.table.class_names)
        evidence = gather(self.table)
        found = {one.place: one.limits for one in changes(decision, evidence) if one.change is not None}
        forget = [name for name in decision.subsets if part_of(name) == "forget"]
        return found, moved(evidence, evidence.revised, forget)

    def base(self) -> dict[str, str]:
        """Return name, version and weights of the bundle that it revised."""
        base = self._record("model_card_diff.json")["base"]
        return {"name": base["name"], "version": base["version"], "weights": base["weights_digest"]}

    def config(self) -> dict[str, Any]:
        """Return the config as executed, with how the original weights were trained."""
        record = self._record("run.json")
        return {**record["config"], RECIPE: record.get("base_training_record", {}).get("recipe")}

    def _record(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.run.evidence / name).read_text(encoding="utf-8"))
        return found


def protocol_of(
    method: str,
    settings: Mapping[str, Setting],
    *,
    counted: Sequence[Rehearsed],
    tuned: Sequence[Rehearsed],
    fixed: Iterable[str],
    predictors: Sequence[Mapping[str, Any]] = (),
) -> Protocol:
    """Return the protocol of a method from its runs.

    Args:
        method: The method's name.
        settings: The settings that were chosen, by id.
        counted: Its runs on the cohorts that chose no setting, at least one.
        tuned: Its runs on the others.
        fixed: The ids of the settings that all runs were given.
        predictors: Predictors whose errors were measured along the way.

    Raises:
        ConfigError: The bundle's config has no budget, or a fixed setting is not plain.
    """
    named, beside = method_setting(method, settings)
    first = counted[0]
    config = first.config()
    has_budget, budget = setting_at(config, "budget")
    if not has_budget:
        raise ConfigError(
            "the bundle's unlearn.yaml has no id 'budget', which a protocol says: the share of retraining's gradients "
            "that the steps may take. Add it, as the bundles of this package have it."
        )
    ids = [name for name in fixed if name.partition("::")[0] not in _SAID_ELSEWHERE]
    said = {**{name: setting_at(config, name)[1] for name in ids}, **beside}
    document = {
        "schema_version": 1,
        "bundle": first.base(),
        "method": named,
        "settings": said,
        "budget": budget,
        "decision": first.declared,
        "qualified_for": _qualified_for(counted),
        "rehearsal": _rehearsal(counted, tuned),
        "predictors": list(predictors),
        "config": held_settings(config, said=said),
    }
    return Protocol.from_dict(document, source="the rehearsal's protocol")


def _qualified_for(counted: Sequence[Rehearsed]) -> dict[str, Any]:
    """Return which cohorts a protocol is for: those of the rehearsal, and a little smaller or larger ones."""
    facts = [one.facts() for one in counted]
    return {
        "reasons": sorted({one.reason for one in facts}),
        "patients": {
            "min": max(1, math.floor(min(one.patients for one in facts) / SLACK)),
            "max": math.ceil(max(one.patients for one in facts) * SLACK),
        },
        "share": {
            "min": min(one.share for one in facts) / SLACK,
            "max": min(1.0, max(one.share for one in facts) * SLACK),
        },
        "classes": list(facts[0].classes),
    }


def _rehearsal(counted: Sequence[Rehearsed], tuned: Sequence[Rehearsed]) -> dict[str, Any]:
    """Return what was rehearsed, and how it came out."""
    equivalent = [one for one in counted if one.is_equivalent]
    moves = [one.moved() for one in equivalent]
    return {
        "cohorts": len(counted),
        "equivalent": len(equivalent),
        "bound": failure_bound(len(counted), len(equivalent)),
        "line": bound_line(len(counted), len(equivalent)),
        # Without an equivalent revision nothing shows how far one should move, and nothing is far enough.
        "least_moved": min((distance for _, distance in moves), default=1.0),
        "ranges": _ranges([found for found, _ in moves]),
        "evidence": [one.evidence() for one in counted],
        "tuned": len(tuned),
        "tuned_on": [one.evidence() for one in tuned],
    }


def _ranges(moves: Sequence[Mapping[Place, tuple[float, float]]]) -> list[dict[str, Any]]:
    """Return the range of the changes of each place that every cohort has, with their doubt."""
    places = [place for place in (moves[0] if moves else {}) if all(place in found for found in moves)]
    return [
        {
            "subset": place[0],
            "class": place[1],
            "what": place[2],
            "predicted": place[3],
            "low": min(found[place][0] for found in moves),
            "high": max(found[place][1] for found in moves),
        }
        for place in places
    ]
