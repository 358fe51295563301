"""Trains a bundle's network, and writes down on which images."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ignite.engine import Engine, Events

from monai_unlearn import __version__
from monai_unlearn.engine.trainer import check_finite
from monai_unlearn.release import TRAINING_RECORD, save_weights, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monai_unlearn.data import CohortData

RECORD = TRAINING_RECORD.name


def train(*, trainer: Any, data: CohortData, checkpoint: str | Path, parts: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - any MONAI trainer
    """Run a MONAI trainer, then write the weights and, beside them, the training record.

    The record lets a later revision check that what it forgets was learnt here: the split rule, the parts
    used and a digest of the image ids. Identifiers themselves are not written.

    Args:
        trainer: A trainer with a `network`, over the training items of `data` for `parts`.
        data: Where its items come from.
        checkpoint: Where the weights go.
        parts: The parts trained on.

    Returns:
        The record.

    Raises:
        TrainingError: The weights stopped being finite; nothing is written.
    """
    seen = _count_images(trainer)
    started = time.perf_counter()
    trainer.run()
    seconds = time.perf_counter() - started
    check_finite(trainer.network)
    record = {
        "schema_version": 1,
        "tool_version": __version__,
        "index_digest": data.index_digest,
        "spec_digest": data.cohort.spec.digest if data.cohort else None,
        "class_names": list(data.class_names),
        "split": data.split_rule.to_dict(),
        "parts": list(parts),
        "images": len(data.items(parts, "train")),
        "images_digest": images_digest(data, parts),
        "epochs": trainer.state.epoch,
        "gradient_evaluations": seen["images"],
        "seconds": round(seconds, 3),
    }
    save_weights(trainer.network, Path(checkpoint))
    write_json(Path(checkpoint).with_name(RECORD), record)
    return record


def images_digest(data: CohortData, parts: Iterable[str]) -> str:
    """Return a digest of the identifiers of the training images of some parts."""
    identifiers = sorted(str(item["image_id"]) for item in data.items(parts, "train"))
    return "sha256:" + hashlib.sha256("\n".join(identifiers).encode()).hexdigest()


def _count_images(trainer: Engine) -> Mapping[str, int]:
    seen = {"images": 0}

    def count(engine: Engine) -> None:
        seen["images"] += len(engine.state.batch["image"])

    trainer.add_event_handler(Events.ITERATION_COMPLETED, count)
    return seen
