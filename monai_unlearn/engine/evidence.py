"""Puts all that a run measured into one document: `metrics.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation import SubsetPredictions, accepted, compare, differences, metrics_table
from monai_unlearn.evaluation.findings import forgetting, recommend
from monai_unlearn.methods.base import FORWARD_PASS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.evaluation import Criterion


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a run costs, on this machine and on any.

    Args:
        search: Gradients of single images that preparing the method took.
        updates: Gradients of single images that the steps took.
        seconds: Wall-clock seconds of each stage, by its name.
        forward_passes: Single images passed through a network without a gradient, by what for: `search`, `steps`,
            `evaluations` on the way, `recalibration`. Each counts as a third of a gradient evaluation. What measures
            the finished network is not among them.
        retraining: Gradients of single images that training each reference took, None where unknown.
        retraining_seconds: Seconds that training each reference took, None where unknown.
    """

    search: int
    updates: int
    seconds: Mapping[str, float]
    forward_passes: Mapping[str, int] = field(default_factory=dict)
    retraining: Sequence[int | None] = ()
    retraining_seconds: Sequence[float | None] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the section `cost` of `metrics.json`.

        `unlearning` is search, updates and forward passes together, `retraining` one reference on average. `this_run`
        and `with_references` are the same in one place: what the run took, and what it took with all its references.
        """
        passes = FORWARD_PASS * sum(self.forward_passes.values())
        unlearning, seconds = round(self.search + self.updates + passes), round(sum(self.seconds.values()), 3)
        retraining = _mean(self.retraining)
        in_all = None if retraining is None else round(unlearning + retraining * len(self.retraining))
        one_second = _mean(self.retraining_seconds)
        return {
            "seconds": {
                **{name: round(value, 3) for name, value in self.seconds.items()},
                "unlearning": seconds,
                "retraining": one_second,
            },
            "gradient_evaluations": {
                "search": self.search,
                "updates": self.updates,
                "forward_passes": round(passes),
                "unlearning": unlearning,
                "retraining": retraining,
            },
            "forward_passes": dict(self.forward_passes),
            "references": len(self.retraining),
            "this_run": {"gradient_evaluations": unlearning, "seconds": seconds},
            "with_references": {
                "gradient_evaluations": in_all,
                "seconds": None if one_second is None else round(seconds + one_second * len(self.retraining), 3),
            },
            "share_of_retraining_gradients": unlearning / retraining if retraining else None,
            "share_with_references": in_all / retraining if retraining and in_all else None,
        }


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of values that are all known, rounded; None where one is not, or there is none."""
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 3) if known and len(known) == len(values) else None


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What the evidence says about a run beside its predictions.

    Args:
        objective: What the run aims at: `match_reference` or `erase`.
        class_names: The classes, in the order of the network's outputs.
        counts: Images by part and split.
        has_batch_norm: Whether the network keeps running statistics.
        criteria: The declared acceptance criteria.
        cost: What the run cost.
        references: The retrained references.
        warnings: What a reader must know about the data and the run.
    """

    objective: str
    class_names: Sequence[str]
    counts: Mapping[str, Mapping[str, int]]
    has_batch_norm: bool
    criteria: Sequence[Criterion]
    cost: Cost
    references: Sequence[Reference] = ()
    warnings: Sequence[str] = ()


def assemble(facts: RunFacts, models: Mapping[str, SubsetPredictions]) -> dict[str, Any]:
    """Return the evidence of a run.

    Args:
        facts: What is known about the run.
        models: Each model's predictions by (part, split); `original` and `revised` at least.
    """
    tables = {name: metrics_table(predictions, facts.class_names) for name, predictions in models.items()}
    evidence: dict[str, Any] = {
        "schema_version": 1,
        "objective": facts.objective,
        "class_names": list(facts.class_names),
        "counts": facts.counts,
        "models": tables,
        "paired": compare(models["original"], models["revised"]),
        "changes": differences(models["original"], models["revised"], facts.class_names),
        "gaps_to_reference": _gaps(facts, models),
        "forgetting": forgetting(tables, has_batch_norm=facts.has_batch_norm),
        "cost": facts.cost.to_dict(),
        "reference": ", ".join(dict.fromkeys(one.source for one in facts.references)) or None,
        "references": [{"source": one.source, "seed": one.seed} for one in facts.references],
        # Without a training record it is unknown whether a reference saw the forget part.
        "reference_is_recorded": bool(facts.references) and all(one.record for one in facts.references),
        "warnings": list(facts.warnings),
    }
    evidence["criteria"] = [criterion.judge(evidence) for criterion in facts.criteria]
    evidence["accepted"] = accepted(evidence["criteria"])
    evidence["recommendation"] = recommend(evidence)
    return evidence


def why_not_accepted(evidence: Mapping[str, Any]) -> str:
    """Return the reason why a result is not accepted, for the message of the run."""
    if failed := [row["measure"] for row in evidence["criteria"] if row["verdict"] == "failed"]:
        return f"{', '.join(failed)} failed"
    return (
        "no criterion about the forget part could be judged: nothing noticeable was forgotten, or there is no "
        "reference (--reference retrain) to compare with"
    )


def _gaps(facts: RunFacts, models: Mapping[str, SubsetPredictions]) -> dict[str, Any]:
    reference = models.get("reference")
    return {} if reference is None else differences(reference, models["revised"], facts.class_names)
