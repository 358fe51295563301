"""The JSON schema of an outcome, and of what `metrics.json` and the card hold of it."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from monai_unlearn.evaluation.decision.comparison import MEMBERSHIP, STATUSES
from monai_unlearn.evaluation.decision.endpoint import MEASURES, SUBSETS
from monai_unlearn.evaluation.decision.outcome import TOP
from monai_unlearn.evaluation.decision.verdict import Basis, Verdict
from monai_unlearn.vocabulary.parts import EARLIER, SPLITS


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of `Outcome.to_dict`, with the words that the code knows."""
    text = (
        resources.files("monai_unlearn.evaluation.decision").joinpath("outcome.schema.json").read_text(encoding="utf-8")
    )
    content: dict[str, Any] = json.loads(text)
    words = {
        "verdict": [one.value for one in Verdict],
        "basis": [one.value for one in Basis],
        "measure": [*MEASURES, MEMBERSHIP],
        "subset": list(SUBSETS),
        "status": list(STATUSES),
    }
    content["$defs"] |= {name: {"enum": values} for name, values in words.items()}
    # What an earlier revision forgot is judged again, as a subset of its own.
    earlier = {"type": "string", "pattern": f"^{EARLIER}.+_({'|'.join(SPLITS)})$"}
    content["$defs"]["subset"] = {"anyOf": [content["$defs"]["subset"], earlier]}
    return content


def metrics_properties() -> dict[str, Any]:
    """Return the JSON schemas of the keys of `Outcome.to_metrics`; they refer to the `$defs` of `schema`."""
    whole = schema()
    below = {name: value for name, value in whole["properties"].items() if name not in TOP}
    section = {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in whole["required"] if name not in TOP],
        "properties": below,
    }
    return {**{name: whole["properties"][name] for name in TOP}, "decision": section}
