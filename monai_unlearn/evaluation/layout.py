"""Where the numbers of a metric lie in `metrics.json`.

The figures of accuracy lie directly in a subset or a difference; those of any other metric lie below its name, as
`{"value", "interval"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai_unlearn.evaluation.metrics import ACCURACY, Metric

Entry = Mapping[str, Any]


def write_value(metric: Metric, measured: Entry) -> dict[str, Any]:
    """Return what a subset holds for a metric, of `{"value", "interval"}`."""
    if metric.name == ACCURACY.name:
        return {ACCURACY.name: measured["value"], "interval": measured["interval"]}
    return {metric.name: measured}


def read_value(metric: Metric, subset: Entry) -> dict[str, Any]:
    """Return `{"value", "interval"}` of a metric in a subset."""
    if metric.name == ACCURACY.name:
        return {"value": subset[ACCURACY.name], "interval": subset["interval"]}
    return dict(subset[metric.name])


def write_difference(metric: Metric, measured: Entry) -> dict[str, Any]:
    """Return what a difference of two subsets holds for a metric, of `{"value", "interval"}`."""
    return dict(measured) if metric.name == ACCURACY.name else {metric.name: measured}


def read_difference(metric: Metric, difference: Entry) -> dict[str, Any]:
    """Return `{"value", "interval"}` of a metric in a difference of two subsets."""
    entry = difference if metric.name == ACCURACY.name else difference[metric.name]
    return {"value": entry["value"], "interval": entry["interval"]}
