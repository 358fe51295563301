"""The retrained reference: a network trained like the original, without the forget part."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai.bundle import ConfigParser, ConfigWorkflow

from monai_unlearn.engine.config_values import build_from_config, config_values
from monai_unlearn.engine.trained_pixels import check_trained_pixels
from monai_unlearn.engine.training_record import RECORD, check_reference, record_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import load_weights, weights_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from monai_unlearn.data import CohortData
    from monai_unlearn.engine.checkpoint import Checkpoints
    from monai_unlearn.vocabulary.run_folder import RunFolder

RETRAIN = "retrain"
WEIGHTS = "model.pt"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A retrained network and what it cost.

    Args:
        network: The network.
        source: `retrain`, or the file name of the checkpoint it was loaded from.
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
    """How the bundle is trained, so that the reference is trained in the same way.

    Args:
        configs: The bundle's training config, then its overlays; relative paths start at its `configs/`.
        bundle_root: The bundle.
        index_dir: The image index.
        cohort_spec: The spec whose remain part is trained on.
        device: Where to train.
        keyfile: The key of a pseudonymised index, where the spec lists plain identifiers.
        overrides: Settings of the training config to replace: those that must agree with the run, such as classes and
            image size. The revised bundle gets them too.
    """

    configs: Sequence[str]
    bundle_root: str
    index_dir: str
    cohort_spec: str
    device: str
    keyfile: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_config(
        cls,
        *,
        shared: Sequence[str] = (),
        overrides: Mapping[str, Any] | None = None,
        **given: Any,  # noqa: ANN401 - whatever the fields take
    ) -> Retraining:
        """Build it inside a bundle run; what is not given comes from the config, as in `Revision.from_config`.

        Args:
            shared: Settings that the run and the training config have in common: training gets the run's values.
            overrides: Further settings of the training config to replace.
            given: Fields that are not to come from the config.

        Raises:
            ConfigError: The config does not define a shared setting or a required field.
        """
        settings = config_values(tuple(shared))
        if missing := [name for name in shared if name not in settings]:
            raise ConfigError(f"retraining: shared names {', '.join(missing)}, which the config does not define.")
        return build_from_config(cls, {**given, "overrides": {**settings, **(overrides or {})}})

    @property
    def seed(self) -> int:
        """The seed of the training: the run's, where it is shared, else the one in the training config."""
        if "seed" in self.overrides:
            return int(self.overrides["seed"])
        configs = Path(self.bundle_root) / "configs"
        settings = ConfigParser.load_config_files([str(configs / config) for config in self.configs])
        seed = settings.get("seed")
        return seed if isinstance(seed, int) else 0

    def run(self, checkpoint: Path) -> None:
        """Train on the remain part from scratch and save the weights as `checkpoint`."""
        configs = Path(self.bundle_root) / "configs"
        workflow = ConfigWorkflow(
            config_file=[str(configs / config) for config in self.configs],
            meta_file=str(configs / "metadata.json"),
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
            # A training config of one's own need not know the key.
            **({} if self.keyfile is None else {"keyfile": self.keyfile}),
            **self.overrides,
        )
        workflow.initialize()
        workflow.run()


def retrain(retraining: Retraining, results: RunFolder, checkpoints: Checkpoints) -> Path:
    """Train the reference, unless a killed run did, and copy its weights and record into a folder.

    Args:
        retraining: How the bundle is trained.
        results: The folder of the results.
        checkpoints: Where a trained reference is saved until the run is over.

    Returns:
        The file of the weights in the folder.
    """
    saved = checkpoints.latest("reference")
    if saved is None:
        saved = checkpoints.save("reference", lambda partial: retraining.run(partial / WEIGHTS))
    folder = results.reference(retraining.seed)
    folder.mkdir(parents=True)
    for name in (WEIGHTS, RECORD):
        shutil.copyfile(saved / name, folder / name)
    return folder / WEIGHTS


def load_reference(
    wanted: str | None, *, like: nn.Module, data: CohortData, retrained: Callable[[], Path]
) -> Reference | None:
    """Return the reference that a run asks for.

    Args:
        wanted: Nothing, `retrain`, or the path of a checkpoint trained without the forget part.
        like: The original network; a checkpoint is loaded into a copy of it, and must hold other weights.
        data: The cohort, whose remain part a checkpoint must have been trained on.
        retrained: Retrains, unless that was done already, and returns where the weights are.

    Raises:
        ConfigError: The checkpoint cannot be loaded, holds the original weights, or was trained on other images.
    """
    if not wanted:
        return None
    if wanted == RETRAIN:
        weights = retrained()
        return Reference(network=load_weights(copy.deepcopy(like), weights), source=RETRAIN, record=record_of(weights))
    path = Path(wanted)
    if not path.is_file():
        raise ConfigError(
            f"reference: there is no file {path}. Give --reference retrain, or weights: --reference FILE."
        )
    network = load_weights(copy.deepcopy(like), path)
    if weights_digest(network.state_dict()) == weights_digest(like.state_dict()):
        raise ConfigError(f"reference: {path} holds the original weights themselves. Use --reference retrain.")
    record = record_of(path)
    check_reference(record, path.with_name(RECORD), data)
    check_trained_pixels(path, record, data)
    return Reference(network=network, source=path.name, record=record)
