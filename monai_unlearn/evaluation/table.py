"""Every network on every part and split: the table that all claims are read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.accuracy import Predictions, accuracy, predict
from monai_unlearn.evaluation.intervals import changed, difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from torch import nn
    from torch.utils.data import Dataset

SubsetKey = tuple[str, str]


def predict_subsets(
    network: nn.Module, subsets: Mapping[SubsetKey, Dataset[Any]], *, device: str | torch.device = "cpu"
) -> dict[SubsetKey, Predictions]:
    """Run a network over the data set of each (part, split)."""
    return {subset: predict(network, data, device=device) for subset, data in subsets.items()}


def accuracy_table(
    predictions: Mapping[SubsetKey, Predictions], class_names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return `{part: {split: accuracy}}`, see `accuracy`."""
    table: dict[str, dict[str, Any]] = {}
    for (part, split), found in predictions.items():
        table.setdefault(part, {})[split] = accuracy(found, class_names)
    return table


def compare(
    before: Mapping[SubsetKey, Predictions], after: Mapping[SubsetKey, Predictions]
) -> dict[str, dict[str, Any]]:
    """Compare two networks on the same images, subset by subset.

    Returns:
        `{part: {split: {"lost", "gained", "p_value"}}}`: images read rightly only before, only after, and
        the exact McNemar test of the two.
    """
    table: dict[str, dict[str, Any]] = {}
    for (part, split), found in before.items():
        earlier, later = found.right, after[part, split].right
        lost, gained = int((earlier & ~later).sum()), int((~earlier & later).sum())
        table.setdefault(part, {})[split] = {"lost": lost, "gained": gained, "p_value": changed(lost, gained)}
    return table


def gap(revised: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, Any]:
    """Return the gap revised − reference of two proportions and its 95 % interval, in shares.

    The two networks see the same images, but their agreement is not used: the interval is the wider one
    for independent samples (Newcombe), which errs on the side of doubt.
    """
    if not revised["n"] or not reference["n"]:
        return {"value": None, "interval": None}
    interval = difference((revised["correct"], revised["n"]), (reference["correct"], reference["n"]))
    return {
        "value": revised["accuracy"] - reference["accuracy"],
        "interval": list(interval) if interval else None,
    }


def gaps(revised: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, Any]:
    """Return the gap of two subsets of an accuracy table, and below `classes` that of each class.

    Two models can agree in all and be opposites class by class; only the classes show it.
    """
    by_class = {name: gap(subset, reference["classes"][name]) for name, subset in revised["classes"].items()}
    return {**gap(revised, reference), "classes": by_class}
