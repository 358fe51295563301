"""What `infer` and `evaluate` add to MONAI: the classes of the weights, and a table that says what it holds."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.engine.training_record import record_of
from monai_unlearn.staging import write_text
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREDICTIONS = "predictions.csv"
FILE = "file"


def class_names_of(checkpoint: str | Path, channels: Mapping[str, Any]) -> list[str]:
    """Return the classes of weights: those that their training record names, else those of the bundle's metadata.

    Args:
        checkpoint: The weights, with `training.json` beside them where `train` wrote them.
        channels: `channel_def` of the metadata, names by number.
    """
    recorded = record_of(Path(checkpoint)).get("class_names")
    return list(recorded) if recorded else list(channels.values())


def finish_predictions(output_dir: str | Path, class_names: Sequence[str]) -> None:
    """Give the table of predictions its header, `file` and the classes, and say where it is.

    MONAI's `ClassificationSaver` writes rows alone.

    Args:
        output_dir: The folder that it wrote to.
        class_names: The classes, in the order of the columns.
    """
    path = Path(output_dir) / PREDICTIONS
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    # A network with one logit gives the probability of the second class alone.
    columns = class_names[-1:] if rows and len(rows[0]) == len(class_names[-1:]) + 1 else class_names
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[FILE, *columns], *rows])
    write_text(path, text.getvalue())
    say(f"Predictions of {len(rows):,} images: {path}")
