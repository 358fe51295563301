"""What shows that forget training images are still memorised, of all together and class by class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.decision.estimates import LEVEL, student_quantile
from monai_unlearn.evaluation.decision.matched_auc import CHANCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.evaluation.decision.evidence import Evidence
    from monai_unlearn.evaluation.decision.matched_auc import MatchedAuc
    from monai_unlearn.evaluation.decision.matched_losses import MatchedLosses

REMOVED = 0.5
"""Of what the original shows above chance, at least this share must be gone: else hardly anything was changed."""
AS_BEFORE = 0.1
"""Weights that were changed change every output: no larger share of patients may be predicted exactly as before."""
# |2u − 1| is uniform where members and others are alike.
_SD_OF_SPREAD = 1 / math.sqrt(12)


def still_memorised(evidence: Evidence, losses: MatchedLosses, *, margin: float) -> list[str]:
    """Return a sentence for each thing that makes the test say nothing, or the forgetting unreal.

    One class that is as memorised as before hides behind others in an AUC over all: so whatever is asked of all images
    is asked of each class of which the test detects the original, too.

    Args:
        evidence: Which networks there are.
        losses: Their losses.
        margin: How far an AUC may lie from 0.5.
    """
    if (fault := losses.fault(evidence.original)) is not None:
        return [f"The original could not be tested: {fault}.", *_exactly_as_before(evidence, losses)]
    before = losses.auc(evidence.original)
    found = [*_exactly_as_before(evidence, losses)]
    if before.interval()[0] <= CHANCE:
        found.append(_not_measurable(before))
    elif losses.fault(evidence.revised) is None:
        after = losses.auc(evidence.revised)
        found += [*_as_memorised(before, after), *_at_both_ends(after, margin)]
    if evidence.control is not None and losses.fault(evidence.control) is None:
        found += _comes_back(losses.auc(evidence.control), margin)
    for label in losses.classes(evidence.class_names):
        found += [f"Class {label}: {said[:1].lower()}{said[1:]}" for said in _of_class(evidence, losses, label, margin)]
    return found


def _of_class(evidence: Evidence, losses: MatchedLosses, label: str, margin: float) -> Iterator[str]:
    """Yield what is said of one class, if the test detects the original there."""
    if losses.fault(evidence.original, label) is not None:
        return
    before = losses.auc(evidence.original, label)
    if before.interval()[0] <= CHANCE or losses.fault(evidence.revised, label) is not None:
        return
    after = losses.auc(evidence.revised, label)
    yield from _as_memorised(before, after)
    if after.excess_spread > _by_chance(after):
        yield from _at_both_ends(after, margin)
    control = evidence.control
    if control is not None and losses.fault(control, label) is None:
        again = losses.auc(control, label)
        if again.interval()[0] > CHANCE:
            yield from _comes_back(again, margin)


def _by_chance(after: MatchedAuc) -> float:
    """Return how large the excess spread of few patients is by chance, at 95 %."""
    patients = len(np.unique(after.member_patients))
    return float(student_quantile(max(patients - 1, 1), LEVEL)) * _SD_OF_SPREAD / math.sqrt(patients)


def _exactly_as_before(evidence: Evidence, losses: MatchedLosses) -> Iterator[str]:
    """Yield a sentence of each class with patients whose images the revised network predicts bit for bit as before."""
    same = losses.losses[evidence.revised] == losses.losses[evidence.original]
    for label in losses.classes(evidence.class_names):
        members = losses.is_member & (losses.labels == label)
        if same[members].mean() > AS_BEFORE:
            yield (
                f"Class {label}: of {int(members.sum())} patients, {int(same[members].sum())} are predicted exactly as "
                "by the original: nothing was changed for them."
            )


def _not_measurable(before: MatchedAuc) -> str:
    return (
        f"Memorisation is not measurable on these images: the test does not detect the original, which was trained on "
        f"them ({shown(before)}). That it does not detect the revised network either says nothing."
    )


def _as_memorised(before: MatchedAuc, after: MatchedAuc) -> Iterator[str]:
    """Yield a sentence unless the revised network is shown to be less memorised, by at least half."""
    left = (after.value - CHANCE) / (before.value - CHANCE)
    if not (before.above(after) > 0 and left <= 1 - REMOVED):
        yield (
            f"Hardly anything was forgotten: of the {before.value - CHANCE:.3f} by which the AUC of the original "
            f"exceeds 0.5, {100 * max(left, 0.0):.0f} % are left, or a smaller AUC is not shown."
        )


def _at_both_ends(after: MatchedAuc, margin: float) -> Iterator[str]:
    """Yield a sentence if members lie among the easiest and the hardest images more often than others do."""
    if after.excess_spread >= margin:
        yield (
            f"Of the forget training images some are still memorised and others unlearned too far, which an AUC of 0.5 "
            f"hides: they lie at the ends of the never-trained images by {after.excess_spread:.2f} more than by chance "
            f"(margin {margin:g})."
        )


def _comes_back(control: MatchedAuc, margin: float) -> Iterator[str]:
    if control.value - CHANCE >= margin:
        yield (
            "The images are still memorised once BatchNorm statistics are recalibrated on remain images "
            f"({shown(control)})."
        )


def shown(found: MatchedAuc) -> str:
    """Return an AUC with its interval, in words."""
    low, high = found.interval()
    return f"AUC {found.value:.2f}, 90 % interval {low:.2f} to {high:.2f}, {found.patients} patients"
