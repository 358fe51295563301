"""What networks say of each cohort of a sequence: recall and distance beside retrained networks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.evaluation.audits import DISTANCE, Audited

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from monai_unlearn.evaluation import PredictionTable

FORGET, REMAIN = "forget", "remain"
SPLITS = ("train", "test")
RATIO = "distance_ratio_equally_sure"


def forgotten_by(frames: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return the cohort of each image by its identifier: the first one that forgot it.

    Args:
        frames: The images of each revision by the name of its cohort, the first revision first.
    """
    found: dict[str, str] = {}
    for name, frame in frames.items():
        for image in frame.loc[frame["part"] == FORGET, "image_id"]:
            found.setdefault(image, name)
    return found


def table_of(table: PredictionTable, chosen: pd.Series[bool]) -> PredictionTable:
    """Return a table in which some images are the forget part, and all others but remain are missing."""
    forget = chosen.to_numpy(bool)
    kept = forget | (table.frame["part"] == REMAIN).to_numpy()
    frame = table.frame.assign(part=np.where(forget, FORGET, REMAIN))[kept]
    return replace(table, frame=frame, logits={name: logits[kept] for name, logits in table.logits.items()})


def with_revised(table: PredictionTable, other: PredictionTable) -> PredictionTable:
    """Return a table with the revised network of another one, which may list the images in another order.

    Raises:
        KeyError: The other table lacks an image.
    """
    row = {image: number for number, image in enumerate(other.frame["image_id"])}
    rows = [row[image] for image in table.frame["image_id"]]
    (mine,), (theirs,) = table.named("revised"), other.named("revised")
    return replace(table, logits={**table.logits, mine: other.logits[theirs][rows]})


def measured(table: PredictionTable, cohorts: Mapping[str, str]) -> dict[str, Any]:
    """Return recall and distance on each cohort that a table has, and on remain, by split.

    Args:
        table: What the network to revise, the revised one and the retrained ones predict after a step.
        cohorts: The cohort of each image; see `forgotten_by`.

    Returns:
        By cohort and split `{"images", "before", "after", "retrained": [one a seed], "distance": {"before", "after"}}`.
        `before` is the network that the step began with; recall is the share of images classified correctly.
    """
    cohort = table.frame["image_id"].map(cohorts)
    names = [name for name in dict.fromkeys(cohorts.values()) if (cohort == name).any()]
    # An image of a later cohort is remain until its revision.
    found = {name: (cohort == name) & (table.frame["part"] != REMAIN) for name in names}
    result = {name: _rows(table_of(table, chosen), FORGET) for name, chosen in found.items() if chosen.any()}
    return {**result, REMAIN: _rows(table_of(table, cohort.notna() & (table.frame["part"] != REMAIN)), REMAIN)}


def _rows(table: PredictionTable, part: str) -> dict[str, Any]:
    audited = Audited(table=table)
    ratios = {row.subset: row for row in DISTANCE.measure(audited).rows if row.measure == RATIO}
    return {split: _row(audited, f"{part}_{split}", ratios) for split in SPLITS if f"{part}_{split}" in ratios}


def _row(audited: Audited, subset: str, ratios: Mapping[str | None, Any]) -> dict[str, Any]:
    rows, ratio = audited.rows(subset), ratios[subset]

    def recall(name: str) -> float:
        return round(float((audited.table.logits[name][rows].argmax(1) == audited.labels[rows]).mean()), 4)

    return {
        "images": len(rows),
        "before": recall(audited.original),
        "after": recall(audited.revised),
        "retrained": [recall(name) for name in audited.retrained],
        "distance": {
            "before": round(ratio.original.value, 3),
            "after": round(ratio.revised.value, 3),
            "retrained": [round(one.value, 3) for one in ratio.retrained],
        },
    }
