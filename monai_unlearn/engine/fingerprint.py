"""What a run was asked to do, so that only the same command can resume from its checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from monai_unlearn.engine import distributed
from monai_unlearn.release import weights_digest
from monai_unlearn.version import __version__

if TYPE_CHECKING:
    from monai_unlearn.data import CohortData
    from monai_unlearn.engine.trainer import UnlearnTrainer

# Paths: the contents have digests of their own, and the checkpoint lies beside the results.
_PATHS = ("index_dir", "cohort_spec", "keyfile", "lineage_members", "output_dir")
# Where decoded images are held: they are the same wherever they are.
_HELD = ("memory", "cache_dir", "calibrate")
# Components that only observe a run; MONAI's tracking writes the time of day into their settings.
_OBSERVERS = ("handlers", "train_handlers", "tracking", "imports", "initialize", "finalize", "audits", "audit_share")


def fingerprint(
    trainer: UnlearnTrainer,
    *,
    data: CohortData,
    references: Sequence[str],
    config: Mapping[str, Any],
    choices: Mapping[str, Any],
) -> dict[str, Any]:
    """Return, as plain values, everything that determines the final weights.

    Args:
        trainer: The trainer, whose network has the original weights.
        data: The images of the run.
        references: Files of weights that the run compares with; their digests count.
        config: The config as executed.
        choices: The run's other choices, such as its seed, for a run that was built in Python and has no config.
    """
    return {
        "tool_version": __version__,
        "torch_version": torch.__version__,
        "config": settings(config),
        "index_digest": data.index_digest,
        "spec_digest": data.cohort.spec.digest if data.cohort else None,
        "lineage_digest": data.earlier.lineage.digest if data.earlier.lineage else None,
        "weights_digest": weights_digest(trainer.network.state_dict()),
        "reference_digests": [_file_digest(reference) for reference in references],
        "processes": distributed.world_size(),
        "device": torch.device(trainer.state.device).type,
        "run": {
            "method": type(trainer.method).__name__,
            "optimizer": type(trainer.optimizer).__name__,
            "groups": [
                {key: value for key, value in group.items() if key != "params"}
                for group in trainer.optimizer.param_groups
            ],
            "steps": trainer.total_steps,
            "batches": {**trainer.loader.batch_sizes, "seed": trainer.loader.seed},
            **choices,
        },
    }


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a config that determines weights: without paths, places and observers, at any depth."""
    return {
        key: settings(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if key not in (*_PATHS, *_HELD, *_OBSERVERS)
    }


def _file_digest(reference: str) -> str | None:
    if not Path(reference).is_file():
        return None
    return hashlib.sha256(Path(reference).read_bytes()).hexdigest()
