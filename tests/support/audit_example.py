"""Predictions with known answers, for tests of the audits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from monai_unlearn.evaluation.audits import Audited
from monai_unlearn.evaluation.prediction_table import AS_TRAINED, RECALIBRATED, Network, PredictionTable

if TYPE_CHECKING:
    from collections.abc import Mapping

CLASSES = ("healthy", "sick")
SIZES = {"forget_train": 120, "forget_test": 80, "remain_train": 160, "remain_validation": 60, "remain_test": 100}


def frame(sizes: Mapping[str, int] = SIZES, *, eyes: int = 2, classes: int = 2) -> pd.DataFrame:
    """Rows of so many patients a subset, each with so many eyes; a patient's eyes are of one class, classes in turn."""
    rows = [
        {
            "image_id": f"{subset}-{number}-{eye}",
            "patient": f"{subset}-{number}",
            "part": subset.split("_")[0],
            "split": subset.split("_")[1],
            "label": _names(classes)[number % classes],
        }
        for subset, count in sizes.items()
        for number in range(count)
        for eye in range(eyes)
    ]
    return pd.DataFrame(rows, columns=["image_id", "patient", "part", "split", "label"])


def _names(classes: int) -> tuple[str, ...]:
    return CLASSES if classes == len(CLASSES) else tuple(f"class {number}" for number in range(classes))


def network(rows: pd.DataFrame, *, seed: int, strength: Mapping[str, float] | float = 1.0, classes: int = 2):
    """Logits: those of an image's difficulty, which all networks share, and noise of the seed's own.

    Args:
        rows: The images.
        seed: Seeds the noise.
        strength: By how much the logit of the true class is higher, by subset or everywhere.
        classes: How many classes.
    """
    shared = np.random.default_rng(99).normal(size=(len(rows), classes))
    own = np.random.default_rng(seed).normal(size=(len(rows), classes))
    places = (rows["part"] + "_" + rows["split"]).to_numpy()
    gain = np.array([strength if isinstance(strength, float) else strength.get(place, 1.0) for place in places])
    truth = np.array([_names(classes).index(label) for label in rows["label"]])
    return shared + 0.5 * own + gain[:, None] * np.eye(classes)[truth]


def audited(rows: pd.DataFrame, logits: Mapping[str, np.ndarray], **settings: object) -> Audited:
    """What audits look at, of networks named `original`, `revised`, `reference…` and their controls."""
    classes = next(iter(logits.values())).shape[1]
    networks = tuple(Network(name=name, role=_role(name), seed=number) for number, name in enumerate(logits))
    table = PredictionTable(frame=rows, class_names=_names(classes), networks=networks, logits=logits)
    return Audited(table=table, **settings)  # type: ignore[arg-type]  # settings of the class


def _role(name: str) -> str:
    return "control" if name.endswith((RECALIBRATED, AS_TRAINED)) else name.partition("_")[0]


def retrained(rows: pd.DataFrame, count: int = 3, **settings: object) -> dict[str, np.ndarray]:
    """So many networks that differ by their seeds alone."""
    names = ["reference", *(f"reference_{number}" for number in range(2, count + 1))]
    return {name: network(rows, seed=100 + number, **settings) for number, name in enumerate(names[:count])}
