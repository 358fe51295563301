"""The training record beside a checkpoint: which images the weights were trained on, and at what cost."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.release import TRAINING_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from monai_unlearn.data import CohortData

RECORD = TRAINING_RECORD.name


def record_of(checkpoint: Path) -> dict[str, Any]:
    """Return the training record beside a checkpoint; empty if there is none that can be read."""
    try:
        record = json.loads(checkpoint.with_name(RECORD).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return record if isinstance(record, dict) else {}


def images_digest(data: CohortData, parts: Iterable[str]) -> str:
    """Return a digest of the identifiers of the training images of some parts."""
    identifiers = sorted(str(item["image_id"]) for item in data.items(parts, "train"))
    return "sha256:" + hashlib.sha256("\n".join(identifiers).encode()).hexdigest()


def check_original(record: Mapping[str, Any], path: Path, data: CohortData) -> list[str]:
    """Compare the record of the original weights with the images of a run; return warnings for the evidence.

    Args:
        record: The training record; empty where there is none.
        path: Where the record is, for the message.
        data: The images of the run.

    Raises:
        ConfigError: The weights were trained under another split, so that test images may be training images.
    """
    if not record:
        return ["The weights come without a training record: it is unknown whether they were trained on forget images."]
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


def check_reference(record: Mapping[str, Any], path: Path, data: CohortData) -> None:
    """Refuse weights whose own record says that they are not a reference for this cohort.

    Args:
        record: The training record; empty where there is none, and then nothing is checked.
        path: Where the record is, for the message.
        data: The images of the run.

    Raises:
        ConfigError: The weights were trained on other parts, or on other images than the remain part.
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
