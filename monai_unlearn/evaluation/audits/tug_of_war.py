"""Tug-of-War: one number for how near accuracies come to those of retraining, on forget and remain images alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.audits.accuracies import SUBSETS, lacking, row, scored
from monai_unlearn.evaluation.audits.audit import Audit, Audited
from monai_unlearn.evaluation.audits.figure import Figure, Finding, not_measurable

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


def measure(audited: Audited) -> Finding:
    """Compare each network's accuracies with the mean of the retrained networks', its own left out."""
    if fault := lacking(audited):
        return not_measurable(fault)
    if not audited.retrained:
        return not_measurable("There is no retrained network to compare with.")

    def figure(name: str) -> Figure:
        others = audited.others(name)
        if not others:
            return Figure()
        return scored(audited, (name, *others), lambda found: tug_of_war(found[:, 0], found[:, 1:].mean(1)))

    return Finding(rows=(row(audited, "tug_of_war", figure),), facts={"subsets": list(SUBSETS)})


def tug_of_war(accuracy: Array, retrained: Array) -> Array:
    """Return ∏ (1 − |a − a_r|) over forget, remain and test images (Zhao et al. 2024, arXiv 2406.01257).

    Args:
        accuracy: The network's accuracies, shape (…, subset).
        retrained: Those of retraining, of the same shape.

    >>> float(tug_of_war(np.array([0.5, 1.0, 0.9]), np.array([0.6, 1.0, 0.9])).round(3))
    0.9
    """
    return np.asarray(np.prod(1 - np.abs(accuracy - retrained), axis=-1))


TUG_OF_WAR = Audit(
    name="tug_of_war",
    description=(
        "the product of 1 − |accuracy − accuracy of retrained networks| over forget, remain and test images: 1 is ideal"
    ),
    measure=measure,
)
