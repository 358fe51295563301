"""Scores of accuracies on the forget, the remain and the test images, with a bootstrap over all their patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.audits.figure import Figure, Row
from monai_unlearn.evaluation.audits.patients import bootstrapped, sums_by_patient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from monai_unlearn.evaluation.audits.audit import Audited

    Array = npt.NDArray[np.float64]

FORGOTTEN, KEPT, TESTED = "forget_train", "remain_train", "remain_test"
SUBSETS = (FORGOTTEN, KEPT, TESTED)


def lacking(audited: Audited) -> str | None:
    """Return a sentence if one of the subsets has no image, else None."""
    missing = [name.replace("_", " ") for name in SUBSETS if name not in audited.subsets]
    return f"There are no images on {' and '.join(missing)}." if missing else None


def scored(audited: Audited, names: Sequence[str], score: Callable[[Array], Array]) -> Figure:
    """Return a score of accuracies with its interval.

    Args:
        audited: The predictions.
        names: The networks that it depends on.
        score: From accuracies of shape (draw, network, subset) to shape (draw,).
    """
    rows = audited.rows(*SUBSETS)
    labels = audited.labels[rows]
    within = np.stack([audited.places[rows] == name for name in SUBSETS], axis=1).astype(float)
    right = [(audited.table.logits[name][rows].argmax(1) == labels).astype(float) for name in names]
    sums = sums_by_patient(np.hstack([within, *(within * one[:, None] for one in right)]), audited.patients[rows])

    def of_totals(totals: Array) -> Array:
        shaped = totals.reshape(len(totals), len(names) + 1, len(SUBSETS))
        return score(shaped[:, 1:] / shaped[:, :1])

    value = of_totals(sums.sum(0)[None])
    return bootstrapped(lambda w: of_totals(w @ sums)[:, None], value, patients=len(sums), seed=audited.seed)[0]


def row(audited: Audited, measure: str, figure: Callable[[str], Figure]) -> Row:
    """Return the row of a score that `figure` gives for each network."""
    return Row(
        measure=measure,
        subset=None,
        original=figure(audited.original),
        revised=figure(audited.revised),
        retrained=tuple(figure(name) for name in audited.retrained),
        unit="ratio",
        headline=True,
    )
