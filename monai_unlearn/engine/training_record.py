"""The training record beside a checkpoint: which images the weights were trained on, and at what cost."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from monai_unlearn.engine.recipe import INPUTS, differing, recipe_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import TRAINING_RECORD, holds_weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from monai_unlearn.data import CohortData

RECORD = TRAINING_RECORD.name


def record_of(checkpoint: Path) -> dict[str, Any]:
    """Return the training record of a checkpoint; empty where the one beside it is not of these weights.

    A record says by `weights_digest` whose it is. Where there are no weights, or they cannot be read, it is taken as it
    is.
    """
    record = record_beside(checkpoint)
    if checkpoint.is_file() and not holds_weights(checkpoint, str(record.get("weights_digest"))):
        return {}
    return record


def record_beside(checkpoint: Path) -> dict[str, Any]:
    """Return the training record beside a checkpoint, of whatever weights; empty if there is none that can be read."""
    try:
        record = json.loads(checkpoint.with_name(RECORD).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return record if isinstance(record, dict) else {}


def check_replaceable(checkpoint: Path) -> None:
    """Refuse to replace weights that `train` did not write: nothing would bring them back.

    Raises:
        ConfigError: There are weights, and no training record says that they are from here.
    """
    if checkpoint.exists() and not record_of(checkpoint):
        raise ConfigError(
            f"{checkpoint} holds weights that no training record beside it describes: training did not write them, and "
            "they would be lost. Write to another file (--checkpoint FILE), or move them away first."
        )


def known_items(data: CohortData, parts: Iterable[str]) -> list[dict[str, Any]]:
    """Return the training images of some parts that weights of the bundle can have been trained on.

    Images that an earlier revision forgot are not among them, even where a new cohort names them again: the record of
    a revised bundle does not count them.
    """
    again = data.earlier.named_again
    return [item for item in data.items(parts, "train") if str(item["image_id"]) not in again]


def images_digest(data: CohortData, parts: Iterable[str]) -> str:
    """Return a digest of the identifiers of the training images of some parts; see `known_items`."""
    identifiers = sorted(str(item["image_id"]) for item in known_items(data, parts))
    return "sha256:" + hashlib.sha256("\n".join(identifiers).encode()).hexdigest()


def check_original(
    record: Mapping[str, Any], path: Path, data: CohortData, inputs: Mapping[str, Any] | None = None
) -> list[str]:
    """Compare the record of the original weights with a run's images; return warnings for the evidence.

    Args:
        record: The training record; empty where there is none.
        path: Where the record is, or one of other weights.
        data: The images of the run.
        inputs: The run's settings, of which those that say what the network's input is are compared.

    Raises:
        ConfigError: The weights were trained for other inputs (see `check_inputs`), or under another split, so that
            test images may be training images.
    """
    if not record:
        other = f" {path.name} beside them does not name these weights." if record_beside(path) else ""
        unknown = "it is unknown whether they were trained on forget images"
        return [f"The weights come without a training record: {unknown}.{other}"]
    check_inputs(record, path, {**(inputs or {}), "class_names": list(data.names)})
    if record.get("split") != data.split_rule.to_dict():
        raise ConfigError(
            f"{path} says that the weights were trained under another split ({record.get('split')}), so test images "
            "of this run may be training images. Set `split` to the same."
        )
    if record.get("images_digest") != images_digest(data, record.get("parts", ())):
        warning = (
            "The training record names other images than this index holds: forgetting is measured on images that may "
            "never have been trained on."
        )
        return [warning]
    return []


def check_inputs(record: Mapping[str, Any], path: Path, inputs: Mapping[str, Any]) -> None:
    """Refuse weights that were trained for other classes, another order of classes, image size or normalisation.

    The order of the network's outputs is the order of the classes, and nothing in the weights says which it is.

    Args:
        record: The training record.
        path: Where the record is, for the message.
        inputs: The run's settings by name; those among `INPUTS` are compared.

    Raises:
        ConfigError: A setting differs; the message says which, and both values.
    """
    recipe = record.get("recipe", {})
    recorded = {"class_names": record["class_names"]} if "class_names" in record else {}
    recorded |= {name: value for name, value in recipe.items() if _root(name) in INPUTS}
    given = recipe_of({name: value for name, value in inputs.items() if name in INPUTS})
    found = {**given, "class_names": list(inputs["class_names"])} if "class_names" in inputs else given
    # What only one of the two names is not an input of both: a user's own config need not use these names.
    shared = {_root(name) for name in recorded} & {_root(name) for name in found}
    recorded, found = ({n: v for n, v in one.items() if _root(n) in shared} for one in (recorded, found))
    if different := differing(recorded, found):
        raise ConfigError(
            f"{path} says that the weights were trained for other inputs: {'; '.join(different)}. "
            "Give the run the same settings, or train the weights again."
        )


def _root(name: str) -> str:
    return name.partition("::")[0]


def check_reference(
    record: Mapping[str, Any], path: Path, data: CohortData, original: Mapping[str, Any] | None = None
) -> None:
    """Refuse weights whose own record says that they are not a reference for this cohort.

    Args:
        record: The training record; empty where there is none, and then nothing is checked.
        path: Where the record is, for the message.
        data: The images of the run.
        original: The training record of the original weights, if they have one.

    Raises:
        ConfigError: The weights were trained on other parts, on other images than the remain part, under another
            split, or by another recipe than the original.
    """
    if not record:
        return
    if record.get("parts") != ["remain"]:
        raise ConfigError(
            f"{path} says that these weights were trained on {', '.join(record.get('parts', ['unknown parts']))}: "
            "a reference is trained on remain alone. Use --reference retrain."
        )
    if record.get("images_digest") != images_digest(data, ["remain"]):
        raise ConfigError(
            f"{path} says that these weights were trained on other images than the remain part of this cohort, maybe "
            "on images to forget. Use --reference retrain."
        )
    wanted = (original or {}).get("recipe")
    if wanted is not None and (different := differing(wanted, record.get("recipe", {}))):
        raise ConfigError(
            f"{path} says that these weights were trained by another recipe than the original: "
            f"{'; '.join(different)}. Their differences would count as forgetting. Use --reference retrain."
        )
