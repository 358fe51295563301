"""The retrained references: networks trained like the original, without the forget part, each under its own seed."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai.bundle import ConfigWorkflow

from monai_unlearn import strict_yaml
from monai_unlearn.engine.config_values import build_from_config, config_values
from monai_unlearn.engine.recipe import as_recorded, training_config
from monai_unlearn.engine.trained_pixels import check_trained_pixels
from monai_unlearn.engine.training_record import RECORD, check_reference, record_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import load_weights, weights_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    def seed(self) -> int | None:
        """The seed that it was trained under, if known."""
        return self.record.get("seed")

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
        keyfile: The site's key: of a pseudonymised index, where the spec lists plain identifiers, and of what earlier
            revisions of the bundle forgot.
        lineage_members: What earlier revisions forgot, if it does not lie where the last one wrote it.
        overrides: Settings of the training config to replace: those that must agree with the run, such as classes and
            image size. The revised bundle gets them too.
    """

    configs: Sequence[str]
    bundle_root: str
    index_dir: str
    cohort_spec: str
    device: str
    keyfile: str | None = None
    lineage_members: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def _of_the_site(self) -> dict[str, str | None]:
        return {"keyfile": self.keyfile, "lineage_members": self.lineage_members}

    @property
    def _without_snapshots(self) -> dict[str, int]:
        """The setting by which no reference keeps states on its way, where the training config has it."""
        config = training_config(self.configs, self.bundle_root, {}).config
        return {"snapshots": 0} if "snapshots" in config else {}

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

    def as_recorded(self, record: Mapping[str, Any], path: Path) -> Retraining:
        """Return the retraining by the recipe of a training record.

        Args:
            record: The training record of the original weights.
            path: Where it is, for messages.

        Raises:
            ConfigError: There is no recipe, or the training config cannot train by it; see `recipe.as_recorded`.
        """
        overrides = as_recorded(
            record, path, configs=self.configs, bundle_root=self.bundle_root, overrides=self.overrides
        )
        return replace(self, overrides=overrides)

    def run(self, checkpoint: Path, *, seed: int, progress: str | None = None) -> None:
        """Train on the remain part from scratch under a seed and save the weights as `checkpoint`.

        Args:
            checkpoint: The file.
            seed: The seed.
            progress: What to show meanwhile; by default that a reference is retrained.
        """
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
            progress=progress or f"Retraining the reference, seed {seed}",
            seed=seed,
            # A training config of one's own need not know these.
            **{name: value for name, value in self._of_the_site.items() if value is not None},
            **self._without_snapshots,
            **self.overrides,
        )
        workflow.initialize()
        workflow.run()


def retrain(retraining: Retraining, results: RunFolder, checkpoints: Checkpoints, *, seed: int) -> Path:
    """Train a reference, unless a killed run did, and copy its weights and record into a folder.

    Args:
        retraining: How the bundle is trained.
        results: The folder of the results.
        checkpoints: Where trained references are saved until the run is over.
        seed: The seed to train under.

    Returns:
        The file of the weights in the folder.
    """
    name = f"reference-{seed}"
    saved = checkpoints.latest(name)
    if saved is None:
        saved = checkpoints.save(name, lambda partial: retraining.run(partial / WEIGHTS, seed=seed))
    target = results.reference(seed)
    target.mkdir(parents=True)
    for file in (WEIGHTS, RECORD):
        shutil.copyfile(saved / file, target / file)
    return target / WEIGHTS


@dataclass(frozen=True, kw_only=True)
class WantedReferences:
    """Which references a run asks for.

    Args:
        files: Checkpoints trained without the forget part, in order; none where the run retrains.
        seeds: Seeds to retrain under.
    """

    files: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()

    @classmethod
    def read(cls, reference: object, count: object, record: Mapping[str, Any]) -> WantedReferences:
        """Return what the settings `reference` and `reference_seeds` ask for.

        Seeds follow on that of the original: a network under the same seed would begin with its very weights.

        Args:
            reference: Nothing, `retrain`, a checkpoint, or several as a list or as the text of one.
            count: How many networks `retrain` trains.
            record: The training record of the original weights; empty where there is none.

        Raises:
            ConfigError: `reference` is none of these or names a file twice, or `count` is below 1.

        >>> WantedReferences.read("retrain", 3, {"seed": 0}).seeds
        (1, 2, 3)
        >>> WantedReferences.read("[a.pt, b.pt]", 3, {}).files
        ('a.pt', 'b.pt')
        """
        if isinstance(reference, str) and reference.lstrip().startswith("["):
            reference = strict_yaml.load(reference, source="--reference")
        if not reference:
            return cls()
        if reference == RETRAIN:
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise ConfigError(f"reference_seeds: expected a whole number of at least 1, got {count}.")
            first = int(record.get("seed") or 0) + 1
            return cls(seeds=tuple(range(first, first + count)))
        files = [reference] if isinstance(reference, (str, Path)) else reference
        if not isinstance(files, Sequence) or not all(isinstance(file, (str, Path)) for file in files):
            raise ConfigError(f"reference: expected retrain, a file or a list of files, got {reference}.")
        named = tuple(str(file) for file in files)
        if RETRAIN in named or len(set(named)) < len(named):
            raise ConfigError(f"reference: expected different files of weights, got {', '.join(named)}.")
        return cls(files=named)

    def __bool__(self) -> bool:
        return bool(self.files or self.seeds)


def load_references(
    wanted: WantedReferences,
    *,
    like: nn.Module,
    data: CohortData,
    record: Mapping[str, Any],
    retrained: Callable[[int], Path],
) -> tuple[Reference, ...]:
    """Return the references that a run asks for.

    Args:
        wanted: Which they are.
        like: The original network; a checkpoint is loaded into a copy of it, and must hold other weights.
        data: The cohort, whose remain part a checkpoint must have been trained on.
        record: The training record of the original weights; empty where there is none.
        retrained: Retrains under a seed, unless that was done already, and returns where the weights are.

    Raises:
        ConfigError: A checkpoint cannot be loaded, holds the original weights, or was trained on other images or by
            another recipe; or two references have the same weights.
    """
    references = [
        *(_retrained(retrained(seed), like) for seed in wanted.seeds),
        *(_given(Path(file), like, data, record) for file in wanted.files),
    ]
    digests = [weights_digest(reference.network.state_dict()) for reference in references]
    if len(set(digests)) < len(digests):
        raise ConfigError(
            "reference: two references have the same weights, so that they say nothing about how far retrained "
            "networks differ. Each needs its own seed: check that the training config uses `seed`."
        )
    return tuple(references)


def _retrained(weights: Path, like: nn.Module) -> Reference:
    return Reference(network=load_weights(copy.deepcopy(like), weights), source=RETRAIN, record=record_of(weights))


def _given(path: Path, like: nn.Module, data: CohortData, original: Mapping[str, Any]) -> Reference:
    """Load a checkpoint as a reference."""
    if not path.is_file():
        raise ConfigError(
            f"reference: there is no file {path}. Give --reference retrain, or weights: --reference FILE."
        )
    network = load_weights(copy.deepcopy(like), path)
    if weights_digest(network.state_dict()) == weights_digest(like.state_dict()):
        raise ConfigError(f"reference: {path} holds the original weights themselves. Use --reference retrain.")
    record = record_of(path)
    check_reference(record, path.with_name(RECORD), data, original)
    check_trained_pixels(path, record, data)
    return Reference(network=network, source=path.name, record=record)
