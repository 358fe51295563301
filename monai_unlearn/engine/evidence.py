"""Puts all that a run measured into one document: `metrics.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation import SubsetPredictions, compare, differences, metrics_table
from monai_unlearn.evaluation.breakdown import confusions, slices
from monai_unlearn.evaluation.decision import decide, gather
from monai_unlearn.evaluation.decision.evidence import of_predictor
from monai_unlearn.evaluation.decision.predicted import predicted_rows
from monai_unlearn.evaluation.decision.still_forgotten import with_earlier
from monai_unlearn.evaluation.findings import forgetting
from monai_unlearn.evaluation.true_class import true_class
from monai_unlearn.methods.base import FORWARD_PASS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.engine.budget import Budget
    from monai_unlearn.engine.parents import Parent
    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.evaluation import PredictionTable
    from monai_unlearn.evaluation.decision import Decision
    from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol
    from monai_unlearn.evaluation.decision.target import PredictedTarget
    from monai_unlearn.evaluation.predictors import Proxy


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
        parents: The networks that the run composes, which were revised before; their revisions are part of its cost.
        proxies: What a predictor let stand in for references.
        budget: What it was to cost, if a budget set its length.
    """

    search: int
    updates: int
    seconds: Mapping[str, float]
    forward_passes: Mapping[str, int] = field(default_factory=dict)
    retraining: Sequence[int | None] = ()
    retraining_seconds: Sequence[float | None] = ()
    parents: Sequence[Parent] = ()
    proxies: Sequence[Proxy] = ()
    budget: Budget | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the section `cost` of `metrics.json`.

        `unlearning` is search, updates and forward passes together, and the revisions of `parents` where the run
        composes some; `retraining` is one reference on average. `this_run` and `with_references` are the same in one
        place: what the run took, and what it took with all its references; `with_predictor`, with the proxies of its
        predictors, in gradients of the original network. `budget` says which share of retraining was asked for and
        which was used.
        """
        passes = FORWARD_PASS * sum(self.forward_passes.values())
        parents = {
            "gradient_evaluations": sum(one.gradient_evaluations or 0 for one in self.parents),
            "seconds": sum(one.seconds or 0 for one in self.parents),
        }
        unlearning = round(self.search + self.updates + passes + parents["gradient_evaluations"])
        seconds = round(sum(self.seconds.values()) + parents["seconds"], 3)
        retraining = _mean(self.retraining)
        in_all = None if retraining is None else round(unlearning + retraining * len(self.retraining))
        one_second = _mean(self.retraining_seconds)
        predicting = round(sum(one.gradient_evaluations for one in self.proxies))
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
            "budget": self.budget.to_dict(used=self.search + self.updates + passes) if self.budget else None,
            **({"parents": parents} if self.parents else {}),
            "references": len(self.retraining),
            "this_run": {"gradient_evaluations": unlearning, "seconds": seconds},
            "with_references": {
                "gradient_evaluations": in_all,
                "seconds": None if one_second is None else round(seconds + one_second * len(self.retraining), 3),
            },
            "proxies": len(self.proxies),
            "with_predictor": {
                "gradient_evaluations": unlearning + predicting,
                "seconds": round(seconds + sum(one.seconds for one in self.proxies), 3),
            },
            "share_of_retraining_gradients": unlearning / retraining if retraining else None,
            "share_with_references": in_all / retraining if retraining and in_all else None,
            "share_with_predictor": (unlearning + predicting) / retraining if retraining else None,
        }


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of values that are all known, rounded; None where one is not, or there is none."""
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 3) if known and len(known) == len(values) else None


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What the evidence says about a run beside its predictions.

    Args:
        decision: What the revised network is judged by.
        counts: Images by part and split.
        cost: What the run cost.
        method: What `choice_of` says of its method.
        references: The retrained references.
        samples: Of each subset that was not evaluated whole, how many images were (`images`), `of` how many, and the
            `seed` that chose them; by the name of the subset.
        warnings: What a reader must know about the data and the run.
        protocol: The protocol that the run applies, if any.
        targets: What the predictors of the run stand for. One decides where there is no reference; beside references
            they are measured.
    """

    decision: Decision
    counts: Mapping[str, Mapping[str, int]]
    cost: Cost
    method: Mapping[str, str]
    references: Sequence[Reference] = ()
    samples: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    protocol: AppliedProtocol | None = None
    targets: Sequence[PredictedTarget] = ()


def assemble(facts: RunFacts, models: Mapping[str, SubsetPredictions], predictions: PredictionTable) -> dict[str, Any]:
    """Return the evidence of a run.

    Args:
        facts: What is known about the run.
        models: Each model's predictions by (part, split); `original` and `revised` at least.
        predictions: The same as one table; the verdict and whatever is broken down by patients follow from it alone.
    """
    decision, class_names = with_earlier(facts.decision, predictions), facts.decision.class_names
    judged = decide(
        decision, predictions, facts.protocol, target=facts.targets[0] if facts.targets else None
    ).to_metrics()
    tables = {name: metrics_table(found, class_names) for name, found in models.items()}
    return {
        "schema_version": 1,
        **judged,
        "method": dict(facts.method),
        "class_names": list(class_names),
        "counts": facts.counts,
        "samples": {name: dict(one) for name, one in facts.samples.items()},
        "models": tables,
        "paired": compare(models["original"], models["revised"]),
        "changes": differences(models["original"], models["revised"], class_names),
        "slices": slices(predictions, decision.subsets, healthy_classes=decision.healthy_classes),
        "true_class": true_class(predictions, judged["decision"]["endpoints"]),
        "confusion": confusions(predictions, decision.subsets),
        "forgetting": forgetting(decision, predictions),
        "predicted": _measured_predictors(decision, facts.targets, predictions),
        # Measured when everything else is; see `engine/audits.py`.
        "audits": {},
        "cost": facts.cost.to_dict(),
        "reference": ", ".join(dict.fromkeys(one.source for one in facts.references)) or None,
        "references": [{"source": one.source, "seed": one.seed} for one in facts.references],
        # Without a training record it is unknown whether a reference saw the forget part.
        "reference_is_recorded": bool(facts.references) and all(one.record for one in facts.references),
        "warnings": list(facts.warnings),
    }


def _measured_predictors(
    decision: Decision, targets: Sequence[PredictedTarget], predictions: PredictionTable
) -> dict[str, Any]:
    """Return, of each predictor, what it said beside what the retrained networks say; nothing without these."""
    if not targets:
        return {}
    found = gather(predictions)
    return {
        one.name: predicted_rows(decision, of_predictor(found, predictions, one.name), one)
        for one in targets
        if found.references
    }


def why_not_accepted(evidence: Mapping[str, Any]) -> str:
    """Return the message of a run whose verdict does not promote: the line of the verdict, then what would decide."""
    needs = [f"Needs: {one['text']}" for one in evidence["needs"]]
    return "\n".join([evidence["decision"]["line"], *needs])
