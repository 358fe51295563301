"""Whether a revision changed anything: a network that predicts as before has not forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.decision.toward import aside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monai_unlearn.evaluation.decision.evidence import ClassMeans, Evidence

HARDLY = 0.1
"""A revision that moves predictions by less than this share of what retraining moves them by has changed nothing."""


def moved(evidence: Evidence, name: str, subsets: Sequence[str]) -> float:
    """Return how far a network's predictions lie from the original's: half the mean of Σ|Δp|, in [0, 1].

    Over the patients of each true class in the subsets; NaN if there are none or an output is not finite.
    """
    rows = evidence.rows(name, evidence.original)
    distances = [np.abs(means.soft[rows[0]] - means.soft[rows[1]]).sum(-1) / 2 for means in _classes(evidence, subsets)]
    return float(np.concatenate(distances).mean()) if distances else float("nan")


def unchanged(
    evidence: Evidence, subsets: Sequence[str], predictor: str | None = None, each: Sequence[str] | None = None
) -> str | None:
    """Return a sentence if the revised network did not leave the original where it should forget, else None.

    Within wide margins, an original that was never retrained can look equivalent, and so can one that was shaken.
    Networks retrained without the cohort show how far its predictions move when it is left out, by chance alone at
    least, and where to.

    Args:
        evidence: The means of all networks.
        subsets: The subsets of the forget part.
        predictor: The predictor whose proxies stand in for retrained networks; None where there are such.
        each: The subsets of which each image is predicted; by default all of them.
    """
    others = evidence.references if predictor is None else evidence.proxies
    by = "retrained networks" if predictor is None else predictor
    found = moved(evidence, evidence.revised, subsets)
    least = min((moved(evidence, name, subsets) for name in others), default=0.0)
    if found <= HARDLY * least:
        return (
            f"The revised network predicts the forget part as the original does: its probabilities differ by "
            f"{100 * found:.2f} points on average, those of {by} by at least {100 * least:.2f}."
        )
    ways = subsets if each is None else each
    return aside(evidence, others, ways, by) if others else None


def _classes(evidence: Evidence, subsets: Sequence[str]) -> Iterator[ClassMeans]:
    for subset in subsets:
        yield from evidence.subsets.get(subset, {}).values()
