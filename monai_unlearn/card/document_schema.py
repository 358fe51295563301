"""The JSON schema of the difference: a fixed document, the decision, and the rules of the registered metrics."""

from __future__ import annotations

import json
import math
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
from jsonschema.exceptions import best_match

from monai_unlearn.card.wording import ACTIONS
from monai_unlearn.evaluation.decision import metrics_properties
from monai_unlearn.evaluation.decision import schema as outcome_schema
from monai_unlearn.evaluation.metrics import registered
from monai_unlearn.vocabulary.parts import EARLIER, JUDGED_PARTS, SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.evaluation.metrics import Metric

# What earlier revisions forgot is measured again, each cohort as a part of its own.
_PART = f"({'|'.join(JUDGED_PARTS)}|{EARLIER}[^/]+)"


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of the difference, with the metrics registered now."""
    text = resources.files("monai_unlearn.card").joinpath("schema.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    content["properties"] |= metrics_properties()
    content["$defs"] |= outcome_schema()["$defs"]
    content["properties"]["advice"]["properties"]["action"] = {"enum": list(ACTIONS)}
    row = content["properties"]["metrics"]["items"]
    row["properties"] |= {
        "metric": {"enum": list(registered())},
        "part": {"type": "string", "pattern": f"^{_PART}$"},
        "split": {"enum": list(SPLITS)},
    }
    row["allOf"] = [_rule(metric) for metric in registered().values()]
    return content


def check(diff: Mapping[str, Any]) -> None:
    """Check a difference against the schema.

    `jsonschema.validate` would check the schema itself each time, which takes longer.

    Raises:
        jsonschema.ValidationError: It breaks the schema.
    """
    if error := best_match(jsonschema.Draft202012Validator(schema()).iter_errors(diff)):
        raise error


def _rule(metric: Metric) -> dict[str, Any]:
    """Return what holds for the rows of a metric: the form of their keys and the range of their values."""
    measured = _estimate(metric)
    missing = {"properties": {"value": {"type": "null"}, "interval": {"type": "null"}}}
    value = {"anyOf": [missing, measured]}
    value_or_null = {"anyOf": [{"type": "null"}, missing, measured]}
    key = f"^{metric.name}/{_PART}/({'|'.join(SPLITS)})/.+$"
    properties = {
        "key": {"pattern": key},
        "before": value,
        "after": value,
        "after_recalibrated": value_or_null,
        "reference": value_or_null,
    }
    return {"if": {"properties": {"metric": {"const": metric.name}}}, "then": {"properties": properties}}


def _estimate(metric: Metric) -> dict[str, Any]:
    limits = {"minimum": metric.range[0], "maximum": metric.range[1]}
    number = {"type": "number", **{name: limit for name, limit in limits.items() if math.isfinite(limit)}}
    # That an interval is two numbers or null holds for every row; some metrics exclude null.
    interval = {"interval": {"type": "array"}} if metric.always_has_interval else {}
    return {"type": "object", "properties": {"value": number, **interval}}
