"""From a table of predictions to a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.decision.erase import judge_erase
from monai_unlearn.evaluation.decision.evidence import gather, of_predictor
from monai_unlearn.evaluation.decision.match import judge_match
from monai_unlearn.evaluation.decision.matched_losses import MatchedLosses
from monai_unlearn.evaluation.decision.never_trained import judge_never_trained
from monai_unlearn.evaluation.decision.predicted import judge_predicted
from monai_unlearn.evaluation.decision.qualify import judge_by_protocol
from monai_unlearn.evaluation.decision.spread import spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol
    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence
    from monai_unlearn.evaluation.decision.outcome import Outcome
    from monai_unlearn.evaluation.decision.target import PredictedTarget
    from monai_unlearn.evaluation.prediction_table import PredictionTable


def judge(
    decision: Decision,
    evidence: Evidence,
    applied: AppliedProtocol | None = None,
) -> Outcome:
    """Judge means of patients by a decision.

    Args:
        decision: What was declared.
        evidence: The means of all networks. Where retrained networks count, they decide.
        applied: The protocol that the run applied, if any.
    """
    if decision.objective == "erase":
        return judge_erase(decision, evidence)
    if applied is None:
        return judge_match(decision, evidence)
    if not evidence.references:
        return judge_by_protocol(decision, evidence, applied)
    return replace(judge_match(decision, evidence), protocol=applied.held())


def decide(
    decision: Decision,
    table: PredictionTable,
    applied: AppliedProtocol | None = None,
    *,
    target: PredictedTarget | None = None,
) -> Outcome:
    """Judge the revised network of a table of predictions; nothing else is needed to judge it again.

    Args:
        decision: What was declared.
        table: The predictions of every network.
        applied: The protocol that the run applied, if any.
        target: What a predictor stands for. Retrained networks decide where there are any; else it does.

    Raises:
        DataError: The table is about other classes than the decision.
    """
    if decision.class_names != table.class_names:
        raise DataError(
            f"the decision is about the classes {', '.join(decision.class_names)}, the predictions about "
            f"{', '.join(table.class_names)}."
        )
    evidence = gather(table)
    if target is not None and not evidence.references:
        evidence = of_predictor(evidence, table, target.name)
    judged = _judged_by(decision, evidence, table, applied, target)
    outcome = judged(evidence)
    return replace(outcome, spread=spread(outcome, evidence, judged))


def _judged_by(
    decision: Decision,
    evidence: Evidence,
    table: PredictionTable,
    applied: AppliedProtocol | None,
    target: PredictedTarget | None,
) -> Callable[[Evidence], Outcome]:
    """Return what judges evidence: retrained networks, else a predicted target, else a protocol."""
    if target is None or evidence.references or decision.objective == "erase":
        return lambda other: judge(decision, other, applied)
    if target.kind == "rows":
        return lambda other: judge_predicted(decision, other, target, applied)
    losses = MatchedLosses.of(table, target.counterparts)
    return lambda other: judge_never_trained(decision, other, target, losses)
