"""The decision of a finished run, computed again from its predictions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol
from monai_unlearn.evaluation.decision.decide import decide
from monai_unlearn.evaluation.decision.decision import Decision
from monai_unlearn.evaluation.decision.target import PredictedTarget
from monai_unlearn.evaluation.prediction_table import PredictionTable

if TYPE_CHECKING:
    from monai_unlearn.evaluation.decision.outcome import Outcome
    from monai_unlearn.vocabulary.run_folder import RunFolder


def decide_again(run: RunFolder) -> Outcome:
    """Judge a finished run again by the decision that its `metrics.json` declares, from its predictions alone.

    A predicted target is declared there too, with the error that was measured of it before the run.

    Nothing that was computed from them is read: where nobody changed a file, the outcome is that of the run, value by
    value.

    Raises:
        ConfigError: The protocol or the predicted target that it declares is none.
        DataError: A file cannot be read, or declares no decision.
    """
    try:
        found = json.loads(run.metrics.read_text(encoding="utf-8"))["decision"]
        declared, protocol, predictor = found["declared"], found.get("protocol"), found.get("predictor")
        base = declared.pop("base_healthy_classes")
        applied = None if protocol is None else AppliedProtocol.from_dict(protocol, source=str(run.metrics))
        target = None if predictor is None else PredictedTarget.from_dict(predictor, source=str(run.metrics))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{run.metrics}: expected the measurements of a run, with the decision that was declared "
            f"({type(error).__name__}). Give the output folder of an unlearning run."
        ) from error
    table = PredictionTable.read(run.predictions)
    decision = Decision.from_config(declared, class_names=table.class_names, base_healthy_classes=base)
    return decide(decision, table, applied, target=target)
