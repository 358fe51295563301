"""Puts all that a run measured into one document: `metrics.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation import SubsetPredictions, accepted, compare, differences, metrics_table
from monai_unlearn.evaluation.findings import forgetting, recommend

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
        retraining: Gradients of single images that training the reference took, if known.
        retraining_seconds: Seconds that training the reference took, if known.
    """

    search: int
    updates: int
    seconds: Mapping[str, float]
    retraining: int | None = None
    retraining_seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the section `cost` of `metrics.json`; unlearning is the search and the updates together."""
        unlearning = self.search + self.updates
        return {
            "seconds": {
                **{name: round(value, 3) for name, value in self.seconds.items()},
                "unlearning": round(sum(self.seconds.values()), 3),
                "retraining": self.retraining_seconds,
            },
            "gradient_evaluations": {
                "search": self.search,
                "updates": self.updates,
                "unlearning": unlearning,
                "retraining": self.retraining,
            },
            "share_of_retraining_gradients": unlearning / self.retraining if self.retraining else None,
        }


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
        reference: The retrained reference, if there is one.
        warnings: What a reader must know about the data and the run.
    """

    objective: str
    class_names: Sequence[str]
    counts: Mapping[str, Mapping[str, int]]
    has_batch_norm: bool
    criteria: Sequence[Criterion]
    cost: Cost
    reference: Reference | None = None
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
        "reference": facts.reference.source if facts.reference else None,
        # Without a training record it is unknown whether the reference saw the forget part.
        "reference_is_recorded": bool(facts.reference and facts.reference.record),
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
