"""The canonical difference between a model's card before and after a revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from monai_unlearn.card.schema import schema
from monai_unlearn.evaluation.decision.outcome import TOP
from monai_unlearn.evaluation.layout import read_difference, read_value
from monai_unlearn.evaluation.metrics import ACCURACY, Metric, registered

Document = Mapping[str, Any]


def build_diff(*, base: Document, revised: Document, modification: Document, evidence: Document) -> dict[str, Any]:
    """Put together the difference and check it against the schema.

    Args:
        base: `name`, `version`, `weights_digest` of the bundle before.
        revised: The same after.
        modification: Why and how: reason, cohort, method, seed, dates.
        evidence: The content of `metrics.json`.

    Raises:
        jsonschema.ValidationError: The parts do not make a valid difference, which is a bug in this package.
    """
    diff = {
        "schema_version": 1,
        "base": base,
        "revised": revised,
        "modification": modification,
        **{key: evidence[key] for key in (*TOP, "decision")},
        "metrics": list(metric_rows(evidence)),
        "forgetting": evidence["forgetting"],
        "audits": evidence["audits"],
        "cost": evidence["cost"],
        "warnings": evidence["warnings"],
    }
    jsonschema.validate(diff, schema())
    return diff


def metric_rows(evidence: Document) -> Iterator[dict[str, Any]]:
    """Yield a row for each metric, part and split; of accuracy also for each class.

    The rows are those of all registered metrics, in their order. The class is `all` for all classes together. Rows
    of two differences belong together if their keys, `metric/part/split/class`, are the same.
    """
    for metric in registered().values():
        for part, splits in evidence["models"]["original"].items():
            for split, subset in splits.items():
                # Every metric class by class would bury the table that people sign; `metrics.json` has them.
                classes = subset["classes"] if metric.name == ACCURACY.name else ()
                for name in ("all", *classes):
                    yield _row(evidence, metric, part=part, split=split, name=name)


def _row(evidence: Document, metric: Metric, *, part: str, split: str, name: str) -> dict[str, Any]:
    models = evidence["models"]
    values = {model: read_value(metric, _pick(table[part][split], name)) for model, table in models.items()}
    change = read_difference(metric, _pick(evidence["changes"][part][split], name))
    return {
        "key": f"{metric.name}/{part}/{split}/{name}",
        "metric": metric.name,
        "part": part,
        "split": split,
        "class": name,
        "n": _pick(models["original"][part][split], name)["n"],
        "before": values["original"],
        "after": values["revised"],
        "after_recalibrated": values.get("revised_recalibrated"),
        "reference": values.get("reference"),
        "change": change,
    }


def _pick(entry: Document, name: str) -> Document:
    picked: Document = entry if name == "all" else entry["classes"][name]
    return picked
