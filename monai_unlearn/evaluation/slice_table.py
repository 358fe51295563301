"""Every registered metric of a network in each slice of a subset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from monai_unlearn.evaluation.layout import write_value
from monai_unlearn.evaluation.metrics import registered
from monai_unlearn.evaluation.predictions import Predictions
from monai_unlearn.evaluation.slices import MIN_PATIENTS, slice_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from monai_unlearn.evaluation.prediction_table import PredictionTable


def predictions_of(
    table: PredictionTable, network: str, rows: npt.NDArray[np.intp], *, healthy_classes: Sequence[str] = ()
) -> Predictions:
    """Return the predictions of a network for some rows of a table, as the metrics take them."""
    numbers = {name: number for number, name in enumerate(table.class_names)}
    labels = table.frame["label"].iloc[rows].map(numbers).to_numpy(np.int64)
    return Predictions(
        logits=torch.from_numpy(table.logits[network][rows]),
        labels=torch.from_numpy(labels),
        healthy=tuple(numbers[name] for name in healthy_classes),
        images=torch.from_numpy(table.frame["image_id"].iloc[rows].factorize()[0]) if table.multilabel else None,
    )


def slice_table(
    table: PredictionTable, network: str, *, part: str, split: str, healthy_classes: Sequence[str] = ()
) -> dict[str, Any]:
    """Measure a network in each slice of a subset.

    Returns:
        `{slice: {value: {"n", "patients", metric: …}}}`, with the metrics as in `metrics_table`. A value with fewer
        than `MIN_PATIENTS` patients, or with an output that is not finite, has counts alone.
    """
    subset = np.flatnonzero(((table.frame["part"] == part) & (table.frame["split"] == split)).to_numpy())
    return {
        name: {
            value: _measured(table, network, np.intersect1d(rows, subset), healthy_classes)
            for value, rows in slice_rows(table, name).items()
        }
        for name in table.slices
    }


def _measured(
    table: PredictionTable, network: str, rows: npt.NDArray[np.intp], healthy_classes: Sequence[str]
) -> dict[str, Any]:
    people = table.frame["patient"].iloc[rows]
    entry: dict[str, Any] = {"n": len(rows), "patients": int(people.nunique() + people.isna().sum())}
    if entry["patients"] < MIN_PATIENTS or not np.isfinite(table.logits[network][rows]).all():
        return entry
    found = predictions_of(table, network, rows, healthy_classes=healthy_classes)
    for metric in registered().values():
        entry |= write_value(metric, metric.measure(found))
    return entry
