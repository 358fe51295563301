"""What a bundle says of itself, as its overlay needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.card.bundles.read import read_bundle
from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.overlay.classes import Outputs, data_format, outputs_of
from monai_unlearn.experiments.overlay.config_data import ConfigData, components, target
from monai_unlearn.experiments.overlay.transforms import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OWN_TRAINING = "monai_unlearn.engine.train"
_NAMES = ("inference", "infer", "evaluate", "test")


@dataclass(frozen=True, kw_only=True)
class BundleFacts:
    """A bundle as data.

    Attributes:
        root: Its folder.
        metadata: Its metadata, of whatever schema.
        config: The config whose network and preprocessing are used.
        training: Its training config; None where it has none.
        preprocessing: What makes the network's input; None where the config has none.
        outputs: What the network gives out.
    """

    root: Path
    metadata: Mapping[str, Any]
    config: ConfigData
    training: ConfigData | None
    preprocessing: Preprocessing | None
    outputs: Outputs

    @classmethod
    def read(cls, root: Path, *, config: str | None = None) -> BundleFacts:
        """Read a bundle.

        Args:
            root: Its folder.
            config: The file below `configs/` whose network and preprocessing are used; by default the inference config.

        Raises:
            ConfigError: There is no metadata or no such config, or one cannot be read.
        """
        metadata = read_bundle(root)["metadata"]
        training = ConfigData.find(root, "train")
        found = _config(root, config, training)
        return cls(
            root=root,
            metadata=metadata,
            config=found,
            training=training,
            preprocessing=Preprocessing.of(found),
            outputs=outputs_of(metadata, found, training),
        )

    @property
    def is_own(self) -> bool:
        """Whether its training ends in this package's `train`, so that one config holds all of a run."""
        return _is_own(self.training)

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the metadata say of the image that goes in."""
        return data_format(self.metadata, "inputs")

    @property
    def weights(self) -> str:
        """The weights within the bundle: what its `CheckpointLoader` names, if it is there, or `models/model.pt`."""
        named = [
            found.rpartition("/")[2].strip("'\" )")
            for _, one in components(dict(self.config.content))
            if target(one) == "CheckpointLoader"
            and isinstance(found := self.config.resolved(one.get("load_path")), str)
        ]
        paths = [f"models/{name}" for name in named if name.endswith((".pt", ".pth"))]
        return next((path for path in paths if (self.root / path).is_file()), "models/model.pt")


def _is_own(training: ConfigData | None) -> bool:
    run = training.at("train::run") if training else None
    return isinstance(run, dict) and run.get("_target_") == OWN_TRAINING


def _config(root: Path, name: str | None, training: ConfigData | None) -> ConfigData:
    if name is not None:
        return ConfigData.read(root / "configs" / name)
    found = next((one for one in (ConfigData.find(root, name) for name in _NAMES) if one is not None), training)
    # In a bundle of this package, the training config reads files as `unlearn` does; its inference config does not.
    if training is not None and _is_own(training):
        return training
    if found is None:
        raise ConfigError(
            f"{root / 'configs'}: expected inference.json or inference.yaml, which defines network_def and "
            "preprocessing. Give the file that does: --config NAME."
        )
    return found
