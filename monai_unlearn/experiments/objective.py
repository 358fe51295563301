"""What a setting is chosen by: validation images alone, from the predictions of a run, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.decision import gather
from monai_unlearn.experiments.plan import VALIDATION, no_validation

if TYPE_CHECKING:
    from monai_unlearn.evaluation.decision import Evidence
    from monai_unlearn.evaluation.prediction_table import PredictionTable

FORMULA = "distance to the retrained networks on forget validation images + log loss on remain validation images"


def objective(table: PredictionTable) -> float:
    """Return the distance to retraining on forget validation images plus the loss on remain ones; smaller is better.

    The distance is ½·Σ|p̄ − q̄| between the mean probabilities of the revised network and of the retrained ones over
    the patients of a true class, averaged over the classes, in [0, 1]: what the verdict judges. A distance image by
    image would reward a network that hedges. The loss is −log p of the true class, averaged over images, in nats.

    Returns:
        The objective; infinite where an output is not finite.

    Raises:
        DataError: A part has no validation image, or no retrained network counts.
    """
    evidence = gather(table)
    found = distance(evidence) + _loss(table, evidence.revised)
    return found if np.isfinite(found) else float("inf")


def distance(evidence: Evidence) -> float:
    """Return the distance to the retrained networks on forget validation images, in [0, 1]."""
    classes = evidence.subsets.get(f"forget_{VALIDATION}", {})
    if not classes:
        raise no_validation("forget")
    if not evidence.references:
        raise DataError(f"no retrained network counts: {' '.join(evidence.notes) or 'the run had none.'}")
    (revised,), references = evidence.rows(evidence.revised), evidence.rows(*evidence.references)
    gaps = [
        np.abs(means.soft[revised].mean(0) - means.soft[references].mean((0, 1))).sum() / 2
        for means in classes.values()
    ]
    return float(np.mean(gaps))


def _loss(table: PredictionTable, network: str) -> float:
    frame = table.frame
    rows = np.flatnonzero((frame["part"] == "remain") & (frame["split"] == VALIDATION))
    if not len(rows):
        raise no_validation("remain")
    columns = [table.class_names.index(name) for name in frame["label"].to_numpy(object)[rows]]
    true = table.probabilities(network)[rows, columns]
    return float(-np.log(np.maximum(true, np.finfo(np.float32).tiny)).mean())
