"""Measure a network on every subset by every metric, and compare two networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.intervals import mcnemar
from monai_unlearn.evaluation.layout import write_difference, write_value
from monai_unlearn.evaluation.metrics import registered
from monai_unlearn.evaluation.predictions import Predictions, predict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from torch import nn
    from torch.utils.data import Dataset

SubsetKey = tuple[str, str]
"""Part and split, such as `("forget", "test")`."""

SubsetPredictions = dict[SubsetKey, Predictions]


def predict_subsets(
    network: nn.Module,
    subsets: Mapping[SubsetKey, Dataset[Any]],
    *,
    device: str | torch.device = "cpu",
    healthy: tuple[int, ...] = (),
    labels_of: int = 0,
) -> SubsetPredictions:
    """Run a network over the data set of each subset; for `healthy` and `labels_of` see `predict`."""
    return {
        subset: predict(network, data, device=device, healthy=healthy, labels_of=labels_of)
        for subset, data in subsets.items()
    }


def metrics_table(predictions: Mapping[SubsetKey, Predictions], class_names: Sequence[str]) -> dict[str, Any]:
    """Measure a network on each subset, over all classes and class by class.

    Returns:
        `{part: {split: {"n", "correct", "accuracy", "interval", …, "classes": {name: the same}}}}`, with
        `{"value", "interval"}` of each further metric below its name. Values and intervals (95 %) are null if there
        is no image; an interval is also null if the metric has none for these images.
    """
    table: dict[str, Any] = {}
    for (part, split), found in predictions.items():
        classes = {name: _measured(found.of_class(number)) for number, name in enumerate(class_names)}
        table.setdefault(part, {})[split] = {**_measured(found), "classes": classes}
    return table


def differences(
    before: Mapping[SubsetKey, Predictions], after: Mapping[SubsetKey, Predictions], class_names: Sequence[str]
) -> dict[str, Any]:
    """Return by how much each metric differs between two networks on the same images: after − before.

    Two networks can agree over all classes and be opposites class by class; only the classes show it.

    Returns:
        `{part: {split: {"value", "interval", …, "classes": {name: the same}}}}`, of accuracy in shares, with
        `{"value", "interval"}` of each further metric below its name; null where there is no image.
    """
    table: dict[str, Any] = {}
    for (part, split), earlier in before.items():
        later = after[part, split]
        classes = {
            name: _difference(earlier.of_class(number), later.of_class(number))
            for number, name in enumerate(class_names)
        }
        table.setdefault(part, {})[split] = {**_difference(earlier, later), "classes": classes}
    return table


def compare(
    before: Mapping[SubsetKey, Predictions], after: Mapping[SubsetKey, Predictions]
) -> dict[str, dict[str, Any]]:
    """Count the images that two networks classify differently, subset by subset.

    Returns:
        `{part: {split: {"lost", "gained", "p_value"}}}`: images classified correctly only before, only after, and
        the p value of McNemar's exact test. Of several labels, an image counts as lost where more of its decisions
        were correct before than after.
    """
    table: dict[str, dict[str, Any]] = {}
    for (part, split), found in before.items():
        change = found.by_image(after[part, split].correct.double() - found.correct.double())
        lost, gained = int((change < 0).sum()), int((change > 0).sum())
        table.setdefault(part, {})[split] = {"lost": lost, "gained": gained, "p_value": mcnemar(lost, gained)}
    return table


def _measured(predictions: Predictions) -> dict[str, Any]:
    entry: dict[str, Any] = {"n": len(predictions), "correct": int(predictions.correct.sum())}
    for metric in registered().values():
        entry |= write_value(metric, metric.measure(predictions))
    return entry


def _difference(before: Predictions, after: Predictions) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for metric in registered().values():
        entry |= write_difference(metric, metric.measure_difference(before, after))
    return entry
