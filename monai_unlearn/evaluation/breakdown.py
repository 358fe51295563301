"""What `metrics.json` breaks down by network: slices of patients, and confusion of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.confusion import confusion, confusion_difference
from monai_unlearn.evaluation.slice_table import slice_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monai_unlearn.evaluation.prediction_table import PredictionTable

    Subset = tuple[str, str]

JUDGED = ("original", "revised", "reference", "repeat")
"""The roles of the networks that are broken down: a control is about weights, and nobody deploys it."""


def slices(table: PredictionTable, subsets: Sequence[str], *, healthy_classes: Sequence[str] = ()) -> dict[str, Any]:
    """Measure every network in each slice (sex, age band, device, year) of some subsets.

    Args:
        table: The predictions.
        subsets: Such as `forget_test`.
        healthy_classes: The classes that mean no disease, for sensitivity and specificity.

    Returns:
        `{network: {part: {split: {slice: {value: {"n", "patients", metric: …}}}}}}`; see `slice_table`.
    """

    def measured(name: str, part: str, split: str) -> dict[str, Any]:
        return slice_table(table, name, part=part, split=split, healthy_classes=healthy_classes)

    return _by_network(table, subsets, measured) if table.slices else {}


def confusions(table: PredictionTable, subsets: Sequence[str]) -> dict[str, Any]:
    """Return how every network classifies each class in some subsets, and by how much that differs.

    Returns:
        `networks`, `{network: {part: {split: confusion}}}`; `change`, revised − original, and `gaps`, revised − each
        retrained network by its name, both `{part: {split: difference}}`; see `confusion` and `confusion_difference`.
    """
    revised = table.named("revised")[0]

    def counted(name: str, part: str, split: str) -> dict[str, Any]:
        return confusion(table, name, part=part, split=split)

    def differing(name: str, part: str, split: str) -> dict[str, Any]:
        return confusion_difference(table, name, revised, part=part, split=split)

    return {
        "networks": _by_network(table, subsets, counted),
        "change": _by_subset(table.named("original")[0], subsets, differing),
        "gaps": {name: _by_subset(name, subsets, differing) for name in table.named("reference")},
    }


def _by_network(
    table: PredictionTable, subsets: Sequence[str], measure: Callable[[str, str, str], dict[str, Any]]
) -> dict[str, Any]:
    names = [one.name for one in table.networks if one.role in JUDGED]
    return {name: _by_subset(name, subsets, measure) for name in names}


def _by_subset(name: str, subsets: Sequence[str], measure: Callable[[str, str, str], dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for subset in subsets:
        part, _, split = subset.partition("_")
        found.setdefault(part, {})[split] = measure(name, part, split)
    return found
