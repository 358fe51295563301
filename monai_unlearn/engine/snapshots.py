"""Weights that training keeps on its way, for methods that go back to an earlier state of the network.

They lie in `snapshots/` beside the weights, one file an epoch. They hold what is to be forgotten as the weights do, and
no revised bundle gets them.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ignite.engine import Engine, Events

from monai_unlearn.errors import ConfigError
from monai_unlearn.release import SNAPSHOTS, save_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PARTIAL = f".{SNAPSHOTS}.partial-"


def snapshot_epochs(count: int, epochs: int) -> list[int]:
    """Return the epochs, from 1, after which weights are kept: evenly spaced, without the last, whose are the result.

    Args:
        count: How many are wanted, at least 0.
        epochs: Epochs of the training, at least 1.

    >>> snapshot_epochs(4, 20)
    [4, 8, 12, 16]
    >>> snapshot_epochs(9, 3)
    [1, 2]
    """
    count = min(count, epochs - 1)
    return [round(number * epochs / (count + 1)) for number in range(1, count + 1)]


@contextmanager
def kept_snapshots(trainer: Any, checkpoint: Path, count: int) -> Iterator[list[dict[str, Any]]]:  # noqa: ANN401 - any MONAI trainer
    """Keep the weights of some epochs of a trainer that runs within the block.

    They appear beside the weights when the block ends without an error, in place of those of an earlier training.

    Args:
        trainer: A trainer with a `network`.
        checkpoint: The file that the weights will be written to.
        count: How many are kept; 0 for none.

    Yields:
        What the training record says of each, filled while the trainer runs: `file` relative to the weights, `epoch`
        and `digest`.

    Raises:
        ConfigError: `count` is not a whole number of at least 0.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ConfigError(f"snapshots: expected how many to keep, a whole number of at least 0, got {count}.")
    target, kept = checkpoint.with_name(SNAPSHOTS), []
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f"{_PARTIAL}*"):  # of a training that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=target.parent, ignore_cleanup_errors=True) as hidden:
        folder = Path(hidden) / SNAPSHOTS
        folder.mkdir()

        def keep(engine: Engine) -> None:
            if engine.state.epoch in snapshot_epochs(count, engine.state.max_epochs or 1):
                path = folder / f"epoch-{engine.state.epoch}.pt"
                save_weights(trainer.network, path)
                kept.append({"file": f"{SNAPSHOTS}/{path.name}", "epoch": engine.state.epoch, "digest": _digest(path)})

        trainer.add_event_handler(Events.EPOCH_COMPLETED, keep)
        yield kept
        shutil.rmtree(target, ignore_errors=True)
        if kept:
            folder.replace(target)


def snapshots_of(checkpoint: Path, record: Mapping[str, Any]) -> list[Path]:
    """Return the files of the snapshots that a training record names, the earliest first.

    Args:
        checkpoint: The weights.
        record: Their training record; empty where there is none.

    Raises:
        ConfigError: A file is missing, or not the one that training wrote.
    """
    found = []
    for one in sorted(record.get("snapshots") or (), key=lambda one: int(one["epoch"])):
        path = checkpoint.with_name(SNAPSHOTS) / Path(one["file"]).name
        if not path.is_file() or _digest(path) != one["digest"]:
            raise ConfigError(
                f"{path} is missing or not the file that training wrote: its SHA-256 digest is not "
                "that of the training record. Restore it, or train the weights again with --snapshots N."
            )
        found.append(path)
    return found


def _digest(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
