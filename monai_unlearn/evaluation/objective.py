"""What a setting or a coefficient is chosen by: validation images alone, from predictions, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.decision import gather

if TYPE_CHECKING:
    from monai_unlearn.evaluation.decision import Evidence
    from monai_unlearn.evaluation.prediction_table import PredictionTable

VALIDATION = "validation"
FORMULA = "distance to the retrained networks on forget validation images + log loss on remain validation images"
ERASURE_FORMULA = "probability of the true class on forget validation images + log loss on remain validation images"


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


def erasure(table: PredictionTable) -> float:
    """Return how far from erased the forget part is, plus the loss on remain validation images; smaller is better.

    The first term is the mean probability of the true class over the patients of a class, averaged over the classes,
    in [0, 1]: a network retrained without a class gives it none. The second is that of `objective`.

    Returns:
        The sum; infinite where an output is not finite.

    Raises:
        DataError: A part has no validation image.
    """
    evidence = gather(table)
    classes = evidence.subsets.get(f"forget_{VALIDATION}", {})
    if not classes:
        raise no_validation("forget")
    (revised,) = evidence.rows(evidence.revised)
    own = [means.soft[revised][:, evidence.class_names.index(name)].mean() for name, means in classes.items()]
    found = float(np.mean(own)) + _loss(table, evidence.revised)
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


def no_validation(part: str, *, cohort: str | None = None) -> DataError:
    """Return the error that refuses to choose settings on test images.

    Args:
        part: `forget` or `remain`.
        cohort: The cohort's name, where there may be several.
    """
    where = "" if cohort is None else f"cohort '{cohort}': "
    return DataError(
        f"{where}the {part} part has no validation image, and settings must not be chosen on test images. Train the "
        "bundle with --split::validation_fraction 0.1 and give this command the same split (--fix "
        "split::validation_fraction=0.1 where it has that option), or fill a column `split` of the index."
    )
