"""What the numbers show of the forgetting: is it in the weights, or only in BatchNorm statistics?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.decision.artefact import NOTICEABLE, artefact, own_class
from monai_unlearn.evaluation.decision.endpoint import part_of
from monai_unlearn.evaluation.decision.evidence import gather

if TYPE_CHECKING:
    from monai_unlearn.evaluation.decision import Decision
    from monai_unlearn.evaluation.prediction_table import PredictionTable


def forgetting(decision: Decision, predictions: PredictionTable) -> dict[str, Any]:
    """Compare what the forget part lost under the revised network with what is lost after recalibration.

    The figures are those by which the decision judges the artefact: the mean probability of the true class, over the
    patients of the forget subsets that are judged.

    Returns:
        `subsets`; `change`, the revised minus the original probability; `change_recalibrated`, the same with the
        revised network's statistics recalibrated on remain images; `surviving_recalibration`, their ratio (null without
        BatchNorm or without forgetting); and `artefact`, whether the decision takes it for one.
    """
    evidence = gather(predictions)
    subsets = [name for name in decision.subsets if part_of(name) == "forget" and evidence.subsets.get(name)]
    found: dict[str, Any] = {"subsets": subsets, "change": None, "change_recalibrated": None}
    found |= {"surviving_recalibration": None, "artefact": artefact(evidence, subsets) is not None}
    before = own_class(evidence, evidence.original, subsets)
    found["change"] = _finite(own_class(evidence, evidence.revised, subsets) - before)
    if evidence.control is not None and found["change"] is not None:
        found["change_recalibrated"] = _finite(own_class(evidence, evidence.control, subsets) - before)
        if found["change"] < -NOTICEABLE and found["change_recalibrated"] is not None:
            found["surviving_recalibration"] = found["change_recalibrated"] / found["change"]
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
