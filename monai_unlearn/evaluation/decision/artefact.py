"""Whether forgetting is in the weights, or only in BatchNorm's running statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.evaluation.decision.evidence import Evidence

NOTICEABLE = 0.01
"""With a smaller loss of probability there is no forgetting that could come back."""
SURVIVES = 0.5
"""Forgetting of which less than this share is left with recalibrated statistics is an artefact."""


OF_A_CLASS = 0.05
"""What a single class must have moved by to be judged by itself: half of the default margin on the forget part."""


def own_class(evidence: Evidence, name: str, subsets: Sequence[str], labels: Sequence[str] | None = None) -> float:
    """Return the mean probability that a network gives to the true class, over the patients of each class in subsets.

    NaN if there are none, or an output is not finite. By default of all classes.
    """
    row = evidence.rows(name)[0]
    found = [
        means.soft[row, :, evidence.class_names.index(label)]
        for subset in subsets
        for label, means in evidence.subsets.get(subset, {}).items()
        if labels is None or label in labels
    ]
    return float(np.concatenate(found).mean()) if found else float("nan")


def is_artefact(before: float, after: float, recalibrated: float) -> bool:
    """Return whether forgetting comes back when statistics are recalibrated: less than half of it is left.

    Args:
        before: The mean probability of the true class under the original.
        after: The same under the network in question.
        recalibrated: The same under its recalibrated copy.

    >>> is_artefact(0.9, 0.1, 0.8), is_artefact(0.9, 0.1, 0.2), is_artefact(0.9, 0.895, 0.9)
    (True, False, False)
    """
    return before - after > NOTICEABLE and before - recalibrated < SURVIVES * (before - after)


def artefact(evidence: Evidence, subsets: Sequence[str]) -> str | None:
    """Return a sentence if the forgetting comes back when statistics are recalibrated on remain images, else None.

    A network run in train mode on forget images alone predicts them badly until somebody recalibrates it: the weights
    still hold what was to be forgotten. Judged where the table has the control of the revised network.
    """
    if evidence.control is None:
        return None
    names = (evidence.original, evidence.revised, evidence.control)
    before, after, control = (own_class(evidence, name, subsets) for name in names)
    if is_artefact(before, after, control):
        return _sentence("the forget part lost", before - after, before - control)
    for label in evidence.class_names:
        before, after, control = (own_class(evidence, name, subsets, [label]) for name in names)
        # A class may have gained: what comes back of it is an artefact as well.
        side = 1.0 if before > after else -1.0
        moved, left = side * (before - after), side * (before - control)
        if moved > OF_A_CLASS and left < SURVIVES * moved - NOTICEABLE:
            return _sentence(f"class {label} of the forget part moved by", moved, left)
    return None


def _sentence(what: str, moved: float, left: float) -> str:
    return (
        f"The forgetting is an artefact of BatchNorm statistics: of {100 * moved:.1f} points that {what}, "
        f"{100 * left:.1f} are left once they are recalibrated on remain images."
    )
