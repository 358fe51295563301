"""The JSON schema of the section `decision` of `metrics.json`."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from monai_unlearn.evaluation.decision.comparison import STATUSES
from monai_unlearn.evaluation.decision.endpoint import MEASURES, SUBSETS
from monai_unlearn.evaluation.decision.verdict import Basis, Verdict


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of `Outcome.to_dict`, with the words that the code knows."""
    text = (
        resources.files("monai_unlearn.evaluation.decision").joinpath("outcome.schema.json").read_text(encoding="utf-8")
    )
    content: dict[str, Any] = json.loads(text)
    words = {
        "verdict": [one.value for one in Verdict],
        "basis": [one.value for one in Basis],
        "measure": list(MEASURES),
        "subset": list(SUBSETS),
        "status": list(STATUSES),
    }
    content["$defs"] |= {name: {"enum": values} for name, values in words.items()}
    return content
