"""Predictions of two labels, made at random, and what scikit-learn says of each label."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch

from monai_unlearn.data.label_sets import set_names
from monai_unlearn.evaluation.label_states import states
from monai_unlearn.evaluation.prediction_table import Network, PredictionTable
from monai_unlearn.evaluation.predictions import Predictions, decisions

LABELS = ("edema", "mass")
COUNT = 80
ROLES = {"original": "original", "revised": "revised", **{f"reference_{n}": "reference" for n in (1, 2, 3)}}


def truth(seed: int = 0) -> np.ndarray:
    """Return which image has which label, shape (image, label)."""
    return np.random.default_rng(seed).random((COUNT, len(LABELS))) < [0.4, 0.6]


def logits(seed: int) -> np.ndarray:
    """Return a network's logit of each label, float32, shape (image, label): right more often than not."""
    noise = np.random.default_rng(100 + seed).normal(size=(COUNT, len(LABELS)))
    return (2.0 * truth() - 1 + 1.2 * noise).astype(np.float32)


def predictions(seed: int) -> Predictions:
    """Return the decisions of a network on the labels, from the logits of their sets."""
    z = torch.from_numpy(logits(seed))
    sets = torch.stack([0 * z[:, 0], z[:, 0], z[:, 1], z.sum(1)], dim=1)
    found, true = decisions(sets, torch.from_numpy(truth() @ np.array([1, 2])), count=2)
    images = torch.arange(len(true)) // 2
    return Predictions(logits=found, labels=true, healthy=(0, 2), images=images)


def frame() -> pd.DataFrame:
    """Return the images, two of each patient, in two parts and splits in turn."""
    rows = np.arange(COUNT)
    return pd.DataFrame(
        {
            "image_id": [f"i{row:03}" for row in rows],
            "patient": [f"p{row // 2}" for row in rows],
            "part": np.where(rows // 2 % 2, "forget", "remain"),
            "split": np.where(rows // 4 % 2, "train", "test"),
            "label": np.array(set_names(LABELS))[truth() @ np.array([1, 2])],
        }
    )


def table() -> PredictionTable:
    """Return all decisions as one table."""
    repeated = frame().loc[np.repeat(np.arange(COUNT), 2)].reset_index(drop=True)
    found = {name: predictions(seed) for seed, name in enumerate(ROLES)}
    true = np.array(states(LABELS))[found["original"].labels.numpy()]
    return PredictionTable(
        frame=repeated.assign(label=true),
        class_names=states(LABELS),
        networks=_networks(),
        logits={name: one.logits.numpy() for name, one in found.items()},
        multilabel=True,
    )


def table_of(label: int) -> PredictionTable:
    """Return the predictions of one label alone, as those of a network with two classes."""
    names = states(LABELS)[2 * label : 2 * label + 2]
    values = {name: np.stack([np.zeros(COUNT), logits(seed)[:, label]], 1) for seed, name in enumerate(ROLES)}
    images = frame().assign(label=np.array(names)[truth()[:, label].astype(int)])
    return PredictionTable(frame=images, class_names=names, networks=_networks(), logits=values)


def data() -> SimpleNamespace:
    """Return the images as a `CohortData` holds them."""
    return SimpleNamespace(labels=LABELS, class_names=set_names(LABELS), frame=frame())


def _networks() -> tuple[Network, ...]:
    return tuple(Network(name=name, role=role, seed=seed) for seed, (name, role) in enumerate(ROLES.items()))
