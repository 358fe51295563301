"""Predictions made up for tests of the decision: probabilities of each network, subset and true class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from monai_unlearn.evaluation.decision import Decision
from monai_unlearn.evaluation.decision.comparison import Comparison
from monai_unlearn.evaluation.prediction_table import RECALIBRATED, Network, PredictionTable

CLASSES = ("healthy", "sick")
SUBSETS = ("forget_train", "forget_test", "remain_train", "remain_test")
# Of each subset and true class, the probability of each class.
Rows = Mapping[str, Mapping[str, Sequence[float]]]


def decision(class_names: Sequence[str] = CLASSES, **config: object) -> Decision:
    """A decision whose first class is healthy, if the config does not say which."""
    return Decision.from_config({"healthy_classes": [class_names[0]], **config}, class_names=class_names)


def frame(patients: Mapping[str, Mapping[str, int]], *, eyes: int = 1) -> pd.DataFrame:
    """One row an image, of so many patients per subset and true class, each with so many eyes."""
    rows = [
        {
            "image_id": f"{subset}-{label}-{number}-{eye}",
            "patient": f"{subset}-{label}-{number}",
            "part": subset.split("_")[0],
            "split": subset.split("_")[1],
            "label": label,
        }
        for subset, classes in patients.items()
        for label, count in classes.items()
        for number in range(count)
        for eye in range(eyes)
    ]
    return pd.DataFrame(rows, columns=["image_id", "patient", "part", "split", "label"])


def table(
    shares: Mapping[str, Rows],
    *,
    class_names: Sequence[str] = CLASSES,
    patients: int | Mapping[str, Mapping[str, int]] = 200,
    eyes: int = 1,
    stable: float = 0.9,
    sure: float = 0.97,
    seed: int = 0,
) -> PredictionTable:
    """A table of the networks named `original`, `revised`, `repeat-N`, `reference-N`, `…_recalibrated` in `shares`.

    Images of a subset and class have one order of difficulty that all networks share up to `stable`: so networks agree
    on most images, as trained ones do.
    """
    if isinstance(patients, int):
        patients = {subset: dict.fromkeys(class_names, patients) for subset in SUBSETS}
    images = frame(patients, eyes=eyes)
    rng = np.random.default_rng(seed)
    difficulty = rng.permutation(len(images)).astype(float)
    found = {}
    for name, rows in shares.items():
        own = rng.normal(size=len(images)) * (1 - stable) * len(images)
        found[name] = _logits(images, rows, class_names, difficulty + own, sure)
    listed = tuple(Network(name=name, role=_role(name), seed=i) for i, name in enumerate(shares))
    return PredictionTable(frame=images, class_names=tuple(class_names), networks=listed, logits=found)


def _role(name: str) -> str:
    return "control" if name.endswith(RECALIBRATED) else name.split("-", maxsplit=1)[0]


def _logits(images: pd.DataFrame, shares: Rows, class_names: Sequence[str], order, sure: float):
    k = len(class_names)
    found = np.zeros((len(images), k))
    for (part, split, label), places in images.groupby(["part", "split", "label"]).indices.items():
        ranks = order[places].argsort().argsort()
        limits = np.round(np.cumsum(shares[f"{part}_{split}"][label]) * len(places))
        chosen = np.minimum(np.searchsorted(limits, ranks, side="right"), k - 1)
        found[places] = np.log(np.where(np.eye(k)[chosen] > 0, sure, (1 - sure) / (k - 1)))
    return found


def everywhere(rows: Mapping[str, Sequence[float]], **subsets: Mapping[str, Sequence[float]]) -> Rows:
    """The same shares in every subset, except where a subset says otherwise."""
    return {subset: subsets.get(subset, rows) for subset in SUBSETS}


def binary(healthy: float, sick: float) -> dict[str, list[float]]:
    """Two classes, so many of each classified correctly."""
    return {"healthy": [healthy, 1 - healthy], "sick": [1 - sick, sick]}


def comparison(**changes: object) -> Comparison:
    """One judged number, inside its margin if nothing is changed."""
    plain: dict = {
        "subset": "forget_test",
        "label": "a",
        "predicted": "a",
        "measure": "mean_probability",
        "margin": 0.1,
        "sides": "both",
        "min_patients": 30,
        "patients": 50,
        "images": 60,
        "seeds": 3,
        "value": 0.5,
        "target": 0.5,
        "low": -0.05,
        "high": 0.05,
        "seed_sd": 0.01,
        "patient_se": 0.02,
    }
    return Comparison(**{**plain, **changes})
