"""The same revision under other seeds: reported beside the verdict, never averaged into it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from monai_unlearn.evaluation.decision.evidence import Evidence
    from monai_unlearn.evaluation.decision.outcome import Outcome


def spread(outcome: Outcome, evidence: Evidence, judge: Callable[[Evidence], Outcome]) -> dict[str, Any] | None:
    """Judge each other seed by the same decision, and return how they came out; None without other seeds.

    Args:
        outcome: That of the revised network.
        evidence: With the other seeds as `repeats`.
        judge: Judges evidence by the decision.

    Returns:
        `networks`, each with its name and verdict, the revised one first, and `endpoints`, each with the smallest and
        largest value over these networks.
    """
    if not evidence.repeats:
        return None
    outcomes = [outcome, *(judge(replace(evidence, revised=name, control=None)) for name in evidence.repeats)]
    names = (evidence.revised, *evidence.repeats)
    endpoints = []
    for row in zip(*(one.comparisons for one in outcomes), strict=True):
        values = [one.value for one in row if one.value is not None]
        first = row[0]
        endpoints.append(
            {
                "subset": first.subset,
                "class": first.label,
                "predicted": first.predicted,
                "measure": first.measure,
                "smallest": min(values, default=None),
                "largest": max(values, default=None),
            }
        )
    verdicts = [{"name": name, "verdict": one.verdict.value} for name, one in zip(names, outcomes, strict=True)]
    return {"networks": verdicts, "endpoints": endpoints}
