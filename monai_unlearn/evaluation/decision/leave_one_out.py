"""Judges each retrained network against the others: what a decision says of networks that are right by definition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.decide import judge
from monai_unlearn.evaluation.decision.evidence import gather

if TYPE_CHECKING:
    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.outcome import Outcome
    from monai_unlearn.evaluation.prediction_table import PredictionTable


def leave_one_out(decision: Decision, table: PredictionTable) -> dict[str, Outcome]:
    """Judge each retrained network of a table as if it were the revised one, against all others.

    Where seeds agree and there are patients enough, each should come out equivalent, and hardly any different. It tells
    whether a cohort, a training and a decision can give a verdict at all, before any method is tried.

    Returns:
        The outcome of each retrained network that counts, by name.
    """
    evidence = gather(table)
    return {
        name: judge(
            decision,
            replace(
                evidence,
                revised=name,
                references=tuple(other for other in evidence.references if other != name),
                repeats=(),
                control=None,
            ),
        )
        for name in evidence.references
    }
