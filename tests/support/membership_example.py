"""Networks that memorised forget training images to a degree, as tables of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from decision_example import CLASSES, frame

from monai_unlearn.evaluation.prediction_table import RECALIBRATED, Network, PredictionTable

if TYPE_CHECKING:
    from collections.abc import Mapping

SUBSETS = ("forget_train", "forget_test", "remain_train", "remain_test", "remain_validation")


def memorised(
    networks: Mapping[str, float],
    *,
    patients: int | Mapping[str, Mapping[str, int]] = 120,
    margin: float = 2.0,
    noise: float = 0.3,
    device: Mapping[str, str] | None = None,
    seed: int = 0,
) -> PredictionTable:
    """A table of two classes in which a network is surer of the true class of forget training images by so much.

    Args:
        networks: By how many logits each network is surer of them: `original`, `revised`, `proxy-1` and so on.
        patients: Patients of each class in each subset, or by subset and class.
        margin: The mean logit of the true class; its standard deviation over patients is 1.
        noise: How far two networks differ on an image, in logits.
        device: The device of the images of a part, if the table has that slice.
        seed: Seeds the draws.
    """
    if isinstance(patients, int):
        patients = {subset: dict.fromkeys(CLASSES, patients) for subset in SUBSETS}
    images = frame(patients)
    if device is not None:
        images["slice:device"] = images["part"].map(device)
    rng = np.random.default_rng(seed)
    ease = margin + rng.normal(size=len(images))
    member = ((images["part"] == "forget") & (images["split"] == "train")).to_numpy()
    labels = images["label"].map({name: i for i, name in enumerate(CLASSES)}).to_numpy()
    logits = {}
    for name, by in networks.items():
        own = ease + by * member + noise * rng.normal(size=len(images))
        logits[name] = np.zeros((len(images), len(CLASSES)))
        logits[name][np.arange(len(images)), labels] = own
    listed = tuple(
        Network(name=name, role="control" if name.endswith(RECALIBRATED) else name.split("-")[0], seed=i)
        for i, name in enumerate(networks)
    )
    return PredictionTable(frame=pd.DataFrame(images), class_names=CLASSES, networks=listed, logits=logits)
