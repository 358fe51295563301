"""What a criterion can be about: four measures for each metric, part and split, and two that need no metric."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from monai_unlearn.evaluation.layout import read_difference, read_value
from monai_unlearn.evaluation.metrics import ACCURACY, Metric, registered
from monai_unlearn.vocabulary.parts import PARTS, SPLITS

Evidence = Mapping[str, Any]
Measure = Callable[[Evidence], float | None]

# Undetermined images are neither to be forgotten nor to be kept: no criterion is about them.
JUDGED_PARTS = tuple(part for part in PARTS if part != "undetermined")
OTHERS: dict[str, Measure] = {
    "forgetting_surviving_recalibration": lambda evidence: evidence["forgetting"]["surviving_recalibration"],
    "share_of_retraining_gradients": lambda evidence: evidence["cost"]["share_of_retraining_gradients"],
}


def measures() -> dict[str, Measure]:
    """Return every measure by name; a measure evaluates to None if the evidence for it is missing.

    Each metric has four measures on each part and split. For accuracy on forget test images they are:

    - `forget_test_accuracy`: the revised network's value;
    - `forget_test_accuracy_drop`: original − revised. If lower is better, the measure is revised − original and ends
      in `_rise`, as in `forget_test_log_loss_rise`. Both are positive if the revised network is worse;
    - `forget_test_gap_to_reference`: the distance from the reference's value, at least 0. For metrics other than
      accuracy the name includes the metric: `forget_test_log_loss_gap_to_reference`;
    - `forget_test_worst_class_gap_to_reference`: the largest such distance among the classes.

    >>> [name for name in measures() if name.startswith("remain_test_accuracy")]
    ['remain_test_accuracy', 'remain_test_accuracy_drop']
    """
    found: dict[str, Measure] = {}
    for metric, part, split in itertools.product(registered().values(), JUDGED_PARTS, SPLITS):
        found |= _measures_of(metric, part, split)
    return found | OTHERS


def _measures_of(metric: Metric, part: str, split: str) -> dict[str, Measure]:
    subset = f"{part}_{split}"
    # A gap without the name of a metric is one of accuracy.
    gap = subset if metric.name == ACCURACY.name else f"{subset}_{metric.name}"
    worse = "drop" if metric.direction == "higher_is_better" else "rise"

    def value(evidence: Evidence, model: str = "revised") -> float | None:
        entry = evidence["models"].get(model, {}).get(part, {}).get(split)
        return None if entry is None else read_value(metric, entry)["value"]

    def worsening(evidence: Evidence) -> float | None:
        before, after = value(evidence, "original"), value(evidence)
        if before is None or after is None:
            return None
        return before - after if worse == "drop" else after - before

    def gap_to_reference(evidence: Evidence) -> float | None:
        return _largest(metric, [_gap(evidence, part, split)])

    def worst_class(evidence: Evidence) -> float | None:
        return _largest(metric, _gap(evidence, part, split).get("classes", {}).values())

    return {
        f"{subset}_{metric.name}": value,
        f"{subset}_{metric.name}_{worse}": worsening,
        f"{gap}_gap_to_reference": gap_to_reference,
        f"{gap}_worst_class_gap_to_reference": worst_class,
    }


def _gap(evidence: Evidence, part: str, split: str) -> Mapping[str, Any]:
    gap: Mapping[str, Any] = evidence["gaps_to_reference"].get(part, {}).get(split, {})
    return gap


def _largest(metric: Metric, gaps: Iterable[Mapping[str, Any]]) -> float | None:
    values = [read_difference(metric, gap)["value"] for gap in gaps if gap]
    return max((abs(value) for value in values if value is not None), default=None)
