"""Puts all that was measured into one document: `metrics.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation import Predictions, accepted, accuracy_table, compare, gaps, has_running_statistics
from monai_unlearn.evaluation.findings import forgetting, recommend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.engine.revision import Revision


def assemble(
    revision: Revision,
    *,
    models: Mapping[str, Mapping[tuple[str, str], Predictions]],
    reference: Reference | None,
    seconds: Mapping[str, float],
    warnings: list[str],
) -> dict[str, Any]:
    """Return the evidence of a run.

    Args:
        revision: The run.
        models: Each model's predictions by (part, split).
        reference: The retrained reference, if any.
        seconds: What preparation and updates took.
        warnings: What a reader must know of the data.
    """
    class_names = revision.data.class_names
    tables = {name: accuracy_table(predictions, class_names) for name, predictions in models.items()}
    evidence: dict[str, Any] = {
        "schema_version": 1,
        "objective": revision.objective,
        "class_names": list(class_names),
        "counts": revision.data.counts(),
        "models": tables,
        "paired": compare(models["original"], models["revised"]),
        "gaps_to_reference": _gaps(tables),
        "forgetting": forgetting(tables, has_batch_norm=has_running_statistics(revision.network)),
        "cost": _cost(revision, reference, seconds),
        "reference": reference.source if reference else None,
        # Without its training record nobody knows whether the reference saw the forget part.
        "reference_is_recorded": bool(reference and reference.record),
        "warnings": warnings,
    }
    evidence["criteria"] = [criterion.judge(evidence) for criterion in revision.criteria]
    evidence["accepted"] = accepted(evidence["criteria"])
    evidence["recommendation"] = recommend(evidence)
    return evidence


def _gaps(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    if "reference" not in tables:
        return {}
    return {
        part: {split: gaps(subset, tables["reference"][part][split]) for split, subset in splits.items()}
        for part, splits in tables["revised"].items()
    }


def _cost(revision: Revision, reference: Reference | None, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Count gradients of single images: what a run costs whatever the machine."""
    search = revision.trainer.method.gradient_evaluations
    unlearning = search + revision.trainer.images_seen
    retraining = reference.gradient_evaluations if reference else None
    return {
        "seconds": {
            **{name: round(value, 3) for name, value in seconds.items()},
            "unlearning": round(sum(seconds.values()), 3),
            "retraining": reference.seconds if reference else None,
        },
        "gradient_evaluations": {
            "search": search,
            "updates": revision.trainer.images_seen,
            "unlearning": unlearning,
            "retraining": retraining,
        },
        "share_of_retraining_gradients": unlearning / retraining if retraining else None,
    }
