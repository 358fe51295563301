"""The retrained reference: the network as it would be had the forget part never been there."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai.bundle import ConfigWorkflow

from monai_unlearn.engine.training import RECORD
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import load_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

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

    def run(self, checkpoint: Path) -> Reference:
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
        network = workflow.parser.get_parsed_content("network")
        return Reference(network=network, source=RETRAIN, record=record_of(checkpoint))


def obtain(wanted: str | None, *, like: nn.Module, retraining: Retraining, keep_at: Path) -> Reference | None:
    """Return the reference a run asks for.

    Args:
        wanted: Nothing, `retrain`, or the path of a checkpoint trained without the forget part.
        like: A network of the same shape, to read a checkpoint into a copy of.
        retraining: How to retrain.
        keep_at: Where retrained weights are kept.

    Raises:
        ConfigError: The checkpoint cannot be read, or says itself that it saw the forget part.
    """
    if not wanted:
        return None
    if wanted == RETRAIN:
        return retraining.run(keep_at)
    path = Path(wanted)
    network = load_weights(copy.deepcopy(like), path)
    record = record_of(path)
    if record and record.get("parts") != ["remain"]:
        raise ConfigError(
            f"{path.with_name(RECORD)} says that these weights were trained on {', '.join(record['parts'])}: "
            "a reference is trained on remain alone. Use --reference retrain."
        )
    return Reference(network=network, source=path.name, record=record)


def record_of(checkpoint: Path) -> dict[str, Any]:
    """Return the training record beside a checkpoint; empty where there is none."""
    try:
        record = json.loads(checkpoint.with_name(RECORD).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return record if isinstance(record, dict) else {}
