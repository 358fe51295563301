"""How a network was trained, as plain values: recorded beside its weights, and compared with the training config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai.bundle import ConfigParser

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# What a network's input is: a run on trained weights must have the same.
INPUTS = ("class_names", "image_size", "mean", "std", "view", "position")
# Settings that say where, on what and beside what a network is trained, but not how. `class_names` and `split` have
# entries of their own in the record.
_NOT_HOW = frozenset(
    {
        *("bundle_root", "index_dir", "dataset_dir", "cohort_spec", "keyfile", "lineage_members", "output_dir"),
        "checkpoint",
        *("device", "seed", "progress", "num_workers", "snapshots", "imports", "initialize", "finalize", "tracking"),
        *("parts", "data", "items", "images", "class_names", "split", "training_configs"),
        # multi_gpu.yaml replaces these three within the section of the trainer.
        *("network", "sampler", "handlers", "train_handlers", "run"),
    }
)


def recipe_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a training config that say how it trains, by their ids, such as `train::loss::weight`.

    Args:
        config: The config as executed, of plain values.
    """
    plain = json.loads(json.dumps(config, default=str))
    return dict(_leaves({key: value for key, value in plain.items() if not key.startswith("_")}))


def training_config(configs: Sequence[str], bundle_root: str, overrides: Mapping[str, Any]) -> ConfigParser:
    """Return a bundle's training config as a parser, with overrides.

    Args:
        configs: The files; relative paths start at the bundle's `configs/`.
        bundle_root: The bundle.
        overrides: Settings to replace, by their ids.

    Raises:
        ConfigError: A file cannot be read.
    """
    folder = Path(bundle_root) / "configs"
    parser = ConfigParser()
    try:
        parser.read_config([str(folder / config) for config in configs])
        parser.read_meta(str(folder / "metadata.json"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"training_configs: expected the training config {', '.join(configs)} in {folder}, which cannot be read "
            f"({type(error).__name__}). Give the files that the bundle is trained with."
        ) from error
    parser.update({"bundle_root": bundle_root, **overrides})
    return parser


def differing(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return each setting that two recipes do not share, with both values, for a message."""
    return [
        f"{name} ({_shown(recorded, name)} there, {_shown(found, name)} here)"
        for name in sorted({*recorded, *found})
        if recorded.get(name, _ABSENT) != found.get(name, _ABSENT)
    ]


def as_recorded(
    record: Mapping[str, Any], path: Path, *, configs: Sequence[str], bundle_root: str, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the overrides with which a training config trains by the recipe of a training record.

    Settings that were given when the network was trained, such as `--max_epochs 40`, are taken from the record.

    Args:
        record: The training record of the original weights.
        path: Where it is, for messages.
        configs: The bundle's training config and its overlays.
        bundle_root: The bundle.
        overrides: Settings that the run itself replaces, by their ids; those are not replaced again.

    Raises:
        ConfigError: There is no recipe, or the training config cannot train by it; the message says what differs.
    """
    recorded = record.get("recipe")
    if not isinstance(recorded, dict):
        raise ConfigError(
            f"{path} does not say by which recipe the weights were trained (`recipe`), so that nothing can be trained "
            "in the same way. Train them with this bundle's `train`, or give retrained weights: --reference FILE."
        )
    found = recipe_of(plain_config(training_config(configs, bundle_root, overrides)))
    fixed = {name.partition("::")[0] for name in overrides}
    taken = {
        name: value
        for name, value in recorded.items()
        if name in found and found[name] != value and name.partition("::")[0] not in fixed
    }
    if different := differing(recorded, {**found, **taken}):
        raise ConfigError(
            f"{path} says that the weights were trained by another recipe than {', '.join(configs)} of this run: "
            f"{'; '.join(different)}. Set these as they were, or train the weights again."
        )
    return {**overrides, **taken}


def plain_config(parser: ConfigParser) -> dict[str, Any]:
    """Return the content of a parser without the bundle's metadata."""
    return {key: value for key, value in parser.config.items() if key != parser.meta_key}


_ABSENT = object()


def _shown(recipe: Mapping[str, Any], name: str) -> str:
    return str(recipe[name]) if name in recipe else "none"


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the plain values of a config by their ids; an empty section is a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None or not value:
        yield name, value
        return
    for key, item in items:
        if key not in _NOT_HOW:
            yield from _leaves(item, f"{name}::{key}" if name else str(key))
