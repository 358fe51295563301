"""From a table of predictions to a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.decision.erase import judge_erase
from monai_unlearn.evaluation.decision.evidence import gather
from monai_unlearn.evaluation.decision.match import judge_match
from monai_unlearn.evaluation.decision.spread import spread

if TYPE_CHECKING:
    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence
    from monai_unlearn.evaluation.decision.outcome import Outcome
    from monai_unlearn.evaluation.prediction_table import PredictionTable


def judge(decision: Decision, evidence: Evidence) -> Outcome:
    """Judge means of patients by a decision."""
    if decision.objective == "erase":
        return judge_erase(decision, evidence)
    return judge_match(decision, evidence)


def decide(decision: Decision, table: PredictionTable) -> Outcome:
    """Judge the revised network of a table of predictions; nothing else is needed to judge it again.

    Raises:
        DataError: The table is about other classes than the decision.
    """
    if decision.class_names != table.class_names:
        raise DataError(
            f"the decision is about the classes {', '.join(decision.class_names)}, the predictions about "
            f"{', '.join(table.class_names)}."
        )
    evidence = gather(table)
    outcome = judge(decision, evidence)
    return replace(outcome, spread=spread(outcome, evidence, lambda other: judge(decision, other)))
