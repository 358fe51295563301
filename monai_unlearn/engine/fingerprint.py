"""What a run was asked to do, so that a checkpoint is gone on from by the same command alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from monai_unlearn import __version__
from monai_unlearn.engine import distributed
from monai_unlearn.release import weights_digest

if TYPE_CHECKING:
    from monai_unlearn.engine.revision import Revision

# Where things lie; their contents have digests of their own, and the checkpoint lies beside the results.
_PLACES = ("index_dir", "cohort_spec", "output_dir")
# What watches a run; MONAI's tracking writes the time of day into it.
_WATCHERS = ("handlers", "train_handlers", "tracking", "imports", "initialize", "finalize")


def fingerprint(revision: Revision) -> dict[str, Any]:
    """Return, as plain values, all that the final weights follow from."""
    trainer = revision.trainer
    return {
        "tool_version": __version__,
        "torch_version": torch.__version__,
        "config": settings(revision.config),
        "index_digest": revision.data.index_digest,
        "spec_digest": revision.data.cohort.spec.digest if revision.data.cohort else None,
        "weights_digest": weights_digest(revision.network.state_dict()),
        "reference_digest": _file_digest(revision.reference),
        "processes": distributed.world_size(),
        "device": torch.device(trainer.state.device).type,
        # A revision that was built in Python has no config to speak for it.
        "run": {
            "method": type(trainer.method).__name__,
            "optimizer": type(trainer.optimizer).__name__,
            "groups": [
                {key: value for key, value in group.items() if key != "params"}
                for group in trainer.optimizer.param_groups
            ],
            "steps": trainer.total_steps,
            "batches": {**trainer.loader.batch_sizes, "seed": trainer.loader.seed},
            "stop": dict(revision.stop or {}),
            "seed": revision.seed,
        },
    }


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a config that weights follow from."""
    return {
        key: settings(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if key not in (*_PLACES, *_WATCHERS)
    }


def _file_digest(reference: str | None) -> str | None:
    if not reference or not Path(reference).is_file():
        return None
    return hashlib.sha256(Path(reference).read_bytes()).hexdigest()
