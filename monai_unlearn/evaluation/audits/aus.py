"""AUS, the adaptive unlearning score: accuracy kept on test images, over how far forgetting is from its aim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.audits.accuracies import FORGOTTEN, KEPT, lacking, row, scored
from monai_unlearn.evaluation.audits.audit import Audit, Audited
from monai_unlearn.evaluation.audits.figure import Figure, Finding, not_measurable

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


def measure(audited: Audited) -> Finding:
    """Score each network; retraining itself is not at 1, so its values stand beside."""
    if fault := lacking(audited):
        return not_measurable(fault)
    whole = removes_classes(audited)

    def figure(name: str) -> Figure:
        return scored(audited, (name, audited.original), lambda found: aus(found[:, 0], found[:, 1], whole=whole))

    return Finding(rows=(row(audited, "aus", figure),), facts={"whole_classes": whole})


def removes_classes(audited: Audited) -> bool:
    """Return whether the forget part has all images of its classes: none of them has a remain training image."""
    labels = audited.labels
    return not np.intersect1d(labels[audited.rows(FORGOTTEN)], labels[audited.rows(KEPT)]).size


def aus(accuracy: Array, original: Array, *, whole: bool) -> Array:
    """Return (1 − (A_original − A)) / (1 + Δ), with A on test images to keep (Cotogni et al. 2023, arXiv 2312.02052).

    Δ is A_forget for forgotten classes, and |A_forget − A| for images of classes that stay.

    Args:
        accuracy: The network's accuracies on forget, remain and test images, shape (…, 3).
        original: The same of the original.
        whole: Whether whole classes were forgotten.

    >>> float(aus(np.array([0.0, 1.0, 0.9]), np.array([0.95, 1.0, 0.9]), whole=True))
    1.0
    """
    forgotten, tested = accuracy[..., 0], accuracy[..., 2]
    left = forgotten if whole else np.abs(forgotten - tested)
    return np.asarray((1 - (original[..., 2] - tested)) / (1 + left))


AUS = Audit(
    name="aus",
    description=(
        "accuracy kept on test images over 1 + the accuracy left on forgotten classes or, for images of classes that "
        "stay, over 1 + its distance from that on test images: 1 is the score's ideal, which retraining itself may miss"
    ),
    measure=measure,
)
