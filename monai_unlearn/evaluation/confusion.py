"""Confusion matrices of a network on a subset, and how far two networks' lie apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from monai_unlearn.evaluation.prediction_table import PredictionTable

    Array = npt.NDArray[np.float64]


def confusion(table: PredictionTable, network: str, *, part: str, split: str) -> dict[str, Any]:
    """Return how a network classifies the images of each true class in a subset.

    Returns:
        `classes`, their names in the order of rows and columns; `n`, the images of each true class; `counts`, the
        images of each true class (row) classified as each class; `soft`, the mean probability given to each class, in
        [0, 1]. A row of `soft` is null where its class has no image, and has null where an output is not finite.
    """
    chosen = ((table.frame["part"] == part) & (table.frame["split"] == split)).to_numpy()
    probabilities = table.probabilities(network)[chosen]
    labels = table.frame["label"].to_numpy(object)[chosen]
    k = len(table.class_names)
    counts = np.zeros((k, k), dtype=int)
    soft: list[list[float | None] | None] = []
    for number, name in enumerate(table.class_names):
        rows = probabilities[labels == name]
        known = rows[np.isfinite(rows).all(1)]
        counts[number] = np.bincount(known.argmax(1), minlength=k) if len(known) else 0
        soft.append(_json(rows.mean(0)) if len(rows) else None)
    return {
        "classes": list(table.class_names),
        "n": [int((labels == name).sum()) for name in table.class_names],
        "counts": counts.tolist(),
        "soft": soft,
    }


def confusion_difference(table: PredictionTable, before: str, after: str, *, part: str, split: str) -> dict[str, Any]:
    """Return by how much the confusion of one network differs from that of another on the same images: after − before.

    Returns:
        `classes` and `n` as in `confusion`; `shares`, the difference of the shares of each true class classified as
        each class, and `soft`, that of the mean probabilities, both in [−1, 1]; rows without images are null.
    """
    first, second = (confusion(table, name, part=part, split=split) for name in (before, after))
    rows = range(len(first["classes"]))
    return {
        "classes": first["classes"],
        "n": first["n"],
        "shares": [
            _json((np.array(second["counts"][i]) - first["counts"][i]) / first["n"][i]) if first["n"][i] else None
            for i in rows
        ],
        "soft": [
            None if first["soft"][i] is None else _json(_floats(second["soft"][i]) - _floats(first["soft"][i]))
            for i in rows
        ],
    }


def _floats(values: list[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values])


def _json(values: Array) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
