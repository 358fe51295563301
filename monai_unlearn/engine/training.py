"""Trains a bundle's network, and records on which images."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ignite.engine import Engine, Events

from monai_unlearn.engine.guards import check_finite
from monai_unlearn.engine.head import output_names
from monai_unlearn.engine.host import bundle_root, executed_config
from monai_unlearn.engine.last_batch import leave_out_single_image
from monai_unlearn.engine.lineage import check_lineage, check_not_forgotten
from monai_unlearn.engine.recipe import recipe_of
from monai_unlearn.engine.snapshots import kept_snapshots
from monai_unlearn.engine.trained_pixels import MEMBERS, check_before_training, write_members
from monai_unlearn.engine.training_record import (
    RECORD,
    check_replaceable,
    images_digest,
    record_beside,
    record_of,
)
from monai_unlearn.release import (
    WEIGHTS,
    check_sums,
    save_weights,
    update_sums,
    weights_digest,
    write_class_names,
)
from monai_unlearn.release.record_run import record_run, site_ledger
from monai_unlearn.staging import write_json
from monai_unlearn.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.data import CohortData


def train(
    *,
    trainer: Any,  # noqa: ANN401 - any MONAI trainer
    data: CohortData,
    checkpoint: str | Path,
    parts: Sequence[str],
    snapshots: int = 0,
    head: str | None = None,
) -> dict[str, Any]:
    """Run a MONAI trainer, then write the weights and, beside them, the training record.

    From the record, a later revision checks that the images to forget were trained on here, and how, so that it can
    train in the same way; it holds no identifier. Weights that become those of the bundle bring their classes with
    them: the bundle's metadata names them.

    Args:
        trainer: A trainer with a `network`, over the training items of `data` for `parts`.
        data: The source of the items.
        checkpoint: The file to write the weights to.
        parts: The parts to train on.
        snapshots: How many states of the weights to keep on the way; see `kept_snapshots`.
        head: `Head.kind` of a network that is trained as it is, and not presented by `as_classifier`.

    Returns:
        The record.

    Raises:
        ConfigError: The config does not leave out what earlier revisions of the bundle forgot, a file of the bundle
            does not match its `SHA256SUMS`, `checkpoint` holds weights that training did not write, or `snapshots` is
            not a number.
        DataError: An image is not the file that was indexed, has other pixels than an earlier training saw, or was
            forgotten by an earlier revision.
        TrainingError: The weights stopped being finite; nothing is written.
    """
    root = Path(bundle_root())
    check_sums(root)
    check_replaceable(Path(checkpoint))
    outputs = output_names(data.names, trainer.network, head)
    check_lineage(root, data, record_beside(root / WEIGHTS))
    check_not_forgotten(data, parts)
    check_before_training(Path(checkpoint), data, parts)
    leave_out_single_image(trainer)
    replaced = record_of(Path(checkpoint)).get("snapshots") or []
    ledger, config = site_ledger(), executed_config()
    ran = _run(trainer, Path(checkpoint), snapshots)
    record = {
        **_facts(trainer, data, parts),
        "recipe": recipe_of(config),
        "seed": config.get("seed"),
        **ran,
        **write_members(Path(checkpoint), data, parts),
    }
    save_weights(trainer.network, Path(checkpoint))
    write_json(Path(checkpoint).with_name(RECORD), record)
    if Path(checkpoint).resolve() == (root / WEIGHTS).resolve():
        write_class_names(root, outputs)
        update_sums(root, _written(*replaced, *ran["snapshots"]))
        if ledger is not None:
            record_run("train", root, store=ledger[0], key=ledger[1])
    return record


def _written(*snapshots: Mapping[str, Any]) -> list[str]:
    """Return what training writes into a bundle, beside its metadata."""
    names = (WEIGHTS.name, RECORD, MEMBERS, *(one["file"] for one in snapshots))
    return [(WEIGHTS.parent / name).as_posix() for name in names]


def _run(trainer: Any, checkpoint: Path, snapshots: int) -> dict[str, Any]:  # noqa: ANN401 - any MONAI trainer
    """Run the trainer, and return what that took and which states of the weights it kept."""
    counted = _count_images(trainer)
    with kept_snapshots(trainer, checkpoint, snapshots) as kept:
        started = time.perf_counter()
        trainer.run()
        seconds = time.perf_counter() - started
        check_finite(trainer.network)
    return {
        "epochs": trainer.state.epoch,
        "gradient_evaluations": counted["images"],
        "seconds": round(seconds, 3),
        "snapshots": kept,
    }


def _facts(trainer: Engine, data: CohortData, parts: Sequence[str]) -> dict[str, Any]:
    """Return which weights were trained, and on what: digests, the split rule, the parts; nothing names an image."""
    facts = {
        "schema_version": 1,
        "tool_version": __version__,
        "weights_digest": weights_digest(trainer.network.state_dict()),
        "index_digest": data.index_digest,
        "spec_digest": data.cohort.spec.digest if data.cohort else None,
        "class_names": list(data.names),
        "split": data.split_rule.to_dict(),
        "parts": list(parts),
        "images": len(data.items(parts, "train")),
        "images_digest": images_digest(data, parts),
    }
    if data.earlier.lineage is not None:
        facts["lineage_digest"] = data.earlier.lineage.digest
    return facts


def _count_images(trainer: Engine) -> Mapping[str, int]:
    """Count the images of every step from now on; the count is in `images`."""
    counted = {"images": 0}

    def count(engine: Engine) -> None:
        counted["images"] += len(engine.state.batch["image"])

    trainer.add_event_handler(Events.ITERATION_COMPLETED, count)
    return counted
