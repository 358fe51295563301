"""The canonical difference between a model's card before and after a revision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import jsonschema

from monai_unlearn.evaluation import gap

Document = Mapping[str, Any]
# Two accuracies are called the same where the interval of their difference lies within ten points.
MARGIN = 0.1


@cache
def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of the difference."""
    text = resources.files("monai_unlearn.card").joinpath("schema.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def build_diff(*, base: Document, revised: Document, modification: Document, evidence: Document) -> dict[str, Any]:
    """Put together the difference and check it against the schema.

    Args:
        base: `name`, `version`, `weights_digest` of the bundle before.
        revised: The same after.
        modification: Why and how: reason, cohort, method, seed, dates.
        evidence: What `metrics.json` holds.

    Raises:
        jsonschema.ValidationError: The parts do not make a valid difference: a fault of this package.
    """
    diff = {
        "schema_version": 1,
        "base": base,
        "revised": revised,
        "modification": modification,
        "objective": evidence["objective"],
        "metrics": list(metric_rows(evidence)),
        "forgetting": evidence["forgetting"],
        "cost": evidence["cost"],
        "criteria": evidence["criteria"],
        "accepted": evidence["accepted"],
        "recommendation": evidence["recommendation"],
        "warnings": evidence["warnings"],
    }
    jsonschema.validate(diff, schema())
    return diff


def metric_rows(evidence: Document) -> Iterator[dict[str, Any]]:
    """Yield a row for each part, split and class (`all` for all of them), joined over models by its key."""
    models = evidence["models"]
    for part, splits in models["original"].items():
        direction = "higher_is_better" if part == "remain" else _forget_direction(evidence["objective"])
        for split, subset in splits.items():
            for name in ("all", *subset["classes"]):
                values = {model: _pick(table[part][split], name) for model, table in models.items()}
                yield {
                    "key": f"accuracy/{part}/{split}/{name}",
                    "metric": "accuracy",
                    "part": part,
                    "split": split,
                    "class": name,
                    "n": values["original"]["n"],
                    "before": _value(values["original"]),
                    "after": _value(values["revised"]),
                    "after_recalibrated": _value(values.get("revised_recalibrated")),
                    "reference": _value(values.get("reference")),
                    "change": gap(values["revised"], values["original"]),
                    "direction": direction,
                    "verdict": _verdict(direction, values),
                }


def _forget_direction(objective: str) -> str:
    return "lower_is_better" if objective == "erase" else "match_reference"


def _pick(subset: Document, name: str) -> Document:
    picked: Document = subset if name == "all" else subset["classes"][name]
    return picked


def _value(subset: Document | None) -> dict[str, Any] | None:
    return None if subset is None else {"value": subset["accuracy"], "interval": subset["interval"]}


def _verdict(direction: str, values: Mapping[str, Document]) -> str:
    """Judge a row by whether the interval of its difference excludes zero."""
    if not values["revised"]["n"]:
        return "no_images"
    if direction == "match_reference":
        if "reference" not in values:
            return "no_reference"
        words = ("below_reference", "matches_reference", "above_reference")
        return _word(gap(values["revised"], values["reference"]), words)
    words = ("degraded", "unchanged", "improved")
    difference = gap(values["revised"], values["original"])
    return _word(difference, words if direction == "higher_is_better" else words[::-1])


def _word(difference: Document, words: tuple[str, str, str]) -> str:
    """Choose below, same or above by the interval of a difference; `undecided` where it allows too much.

    An interval that includes zero is no proof of sameness: it must also lie within the margin.
    """
    low, high = difference["interval"]
    if low > 0:
        return words[2]
    if high < 0:
        return words[0]
    return words[1] if max(-low, high) <= MARGIN else "undecided"
