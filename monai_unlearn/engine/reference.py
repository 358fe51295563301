"""The retrained reference: the network as it would be had the forget part never been there."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai.bundle import ConfigWorkflow

from monai_unlearn.engine.training import RECORD, images_digest
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import load_weights, weights_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from monai_unlearn.data import CohortData

RETRAIN = "retrain"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A retrained network and what it cost.

    Args:
        network: The network.
        source: `retrain`, or the name of the checkpoint it was read from.
        record: Its training record; empty where a checkpoint has none.
    """

    network: nn.Module
    source: str
    record: dict[str, Any]

    @property
    def gradient_evaluations(self) -> int | None:
        """Gradients of single images that its training took, if known."""
        return self.record.get("gradient_evaluations")

    @property
    def seconds(self) -> float | None:
        """Seconds that its training took, if known."""
        return self.record.get("seconds")


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """How the bundle is trained, so that the reference is trained the same way.

    Args:
        configs: The bundle's training config and overlays; relative paths start at its `configs/`.
        bundle_root: The bundle.
        index_dir: The image index.
        cohort_spec: The spec whose remain part is trained on.
        device: Where to train.
        overrides: What the training config must have like the config of the run, such as classes and image size.
    """

    configs: Sequence[str]
    bundle_root: str
    index_dir: str
    cohort_spec: str
    device: str
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def run(self, checkpoint: Path) -> None:
        """Train on the remain part from scratch and keep the weights at `checkpoint`."""
        files = [str(Path(self.bundle_root) / "configs" / config) for config in self.configs]
        workflow = ConfigWorkflow(
            config_file=files,
            meta_file=str(Path(self.bundle_root) / "configs" / "metadata.json"),
            logging_file=False,
            run_id="train",
            workflow_type="train",
            bundle_root=self.bundle_root,
            index_dir=self.index_dir,
            cohort_spec=self.cohort_spec,
            parts=["remain"],
            device=self.device,
            checkpoint=str(checkpoint),
            progress="Retraining the reference",
            **self.overrides,
        )
        workflow.initialize()
        workflow.run()


def load_reference(
    wanted: str | None, *, like: nn.Module, data: CohortData, retrained: Callable[[], Path]
) -> Reference | None:
    """Return the reference a run asks for.

    Args:
        wanted: Nothing, `retrain`, or the path of a checkpoint trained without the forget part.
        like: The original network: a checkpoint is read into a copy of it, and must be another.
        data: The cohort, whose remain part a checkpoint must have been trained on.
        retrained: Retrains, unless that was done already, and returns where the weights are.

    Raises:
        ConfigError: The checkpoint cannot be read, is the original, or was trained on other images.
    """
    if not wanted:
        return None
    if wanted == RETRAIN:
        kept = retrained()
        return Reference(network=load_weights(copy.deepcopy(like), kept), source=RETRAIN, record=record_of(kept))
    path = Path(wanted)
    if not path.is_file():
        raise ConfigError(
            f"reference: there is no file {path}. Give --reference retrain, or weights: --reference FILE."
        )
    network = load_weights(copy.deepcopy(like), path)
    if weights_digest(network.state_dict()) == weights_digest(like.state_dict()):
        raise ConfigError(f"reference: {path} holds the original weights themselves. Use --reference retrain.")
    record = record_of(path)
    _check_record(record, path.with_name(RECORD), data)
    return Reference(network=network, source=path.name, record=record)


def _check_record(record: Mapping[str, Any], path: Path, data: CohortData) -> None:
    """Refuse a reference whose own record says that it is none for this cohort."""
    if not record:
        return
    if record.get("parts") != ["remain"]:
        raise ConfigError(
            f"{path} says that these weights were trained on {', '.join(record.get('parts', ['unknown parts']))}: "
            "a reference is trained on remain alone. Use --reference retrain."
        )
    if record.get("images_digest") != images_digest(data, ["remain"]):
        raise ConfigError(
            f"{path} says that these weights were trained on other images than the remain part of this cohort: they "
            "may have seen what is to be forgotten. Use --reference retrain."
        )


def record_of(checkpoint: Path) -> dict[str, Any]:
    """Return the training record beside a checkpoint; empty where there is none."""
    try:
        record = json.loads(checkpoint.with_name(RECORD).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return record if isinstance(record, dict) else {}
