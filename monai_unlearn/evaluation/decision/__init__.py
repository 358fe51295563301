"""The decision: what is judged of a revised network, and the verdict. It needs a table of predictions, and no torch."""

from monai_unlearn.evaluation.decision.again import decide_again
from monai_unlearn.evaluation.decision.decide import decide, judge
from monai_unlearn.evaluation.decision.decision import Decision
from monai_unlearn.evaluation.decision.endpoint import Endpoint
from monai_unlearn.evaluation.decision.evidence import ClassMeans, Evidence, gather
from monai_unlearn.evaluation.decision.leave_one_out import leave_one_out
from monai_unlearn.evaluation.decision.outcome import Outcome
from monai_unlearn.evaluation.decision.schema import metrics_properties, schema
from monai_unlearn.evaluation.decision.verdict import Basis, Verdict, exit_code, promotes

__all__ = [
    "Basis",
    "ClassMeans",
    "Decision",
    "Endpoint",
    "Evidence",
    "Outcome",
    "Verdict",
    "decide",
    "decide_again",
    "exit_code",
    "gather",
    "judge",
    "leave_one_out",
    "metrics_properties",
    "promotes",
    "schema",
]
