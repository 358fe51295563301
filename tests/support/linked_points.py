"""The points of a picture of features as a run writes them, with subgroups of their images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from monai_unlearn.evaluation.audits.embeddings import write_linked
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

NETWORKS = ("original", "revised", "reference")
# The three images lie in another order in each network.
POINTS = {
    "original": np.array([[0.0, 0.0], [1.0, 4.0], [2.0, 2.0]]),
    "revised": np.array([[2.0, 0.0], [0.0, 4.0], [1.0, 1.0]]),
    "reference": np.array([[1.0, 3.0], [2.0, 0.0], [0.0, 6.0]]),
}


def write_points(run: Path, device: str = "Old") -> Path:
    """Write the points of three images into the evidence of a run, and return the file."""
    path = RunFolder(run).embeddings
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(
        {
            "image_id": ["SECRET-1", "SECRET-2", "SECRET-3"],
            "patient": ["SECRET", "SECRET", None],
            "part": ["forget", "remain", "remain"],
            "split": ["train", "test", "test"],
            "label": ["a", "b", "a"],
            "slice:device": [device, "New", None],
            "slice:age_band": ["40-59", "40-59", "80+"],
        }
    )
    write_linked(path, POINTS, frame)
    return path
