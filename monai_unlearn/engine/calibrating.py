"""The last step of a run that asks for it: logits calibrated on validation images that no network was trained on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from monai_unlearn.engine.trained_pixels import trained_on
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import predict
from monai_unlearn.methods.calibrate import Calibration, calibration, fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch
    from torch import nn
    from torch.utils.data import Dataset

    from monai_unlearn.data import CohortData


def calibrate(
    network: nn.Module,
    original: nn.Module,
    *,
    also: Sequence[nn.Module] = (),
    data: CohortData,
    images: Dataset[Any] | None,
    checkpoint: Path,
    record: Mapping[str, Any],
    device: torch.device,
) -> Calibration:
    """Calibrate a revised network on remain validation images, in place; see `methods.calibrate.calibration`.

    Args:
        network: The revised network.
        original: The original network.
        also: Networks that are given the same calibration, in place.
        data: The images of the run.
        images: The remain part's validation images; None where there are none.
        checkpoint: The original weights, beside which stands which images they were trained on.
        record: Their training record.
        device: Where both networks are.

    Raises:
        ConfigError: There are no such images, it is not known which images the weights were trained on, some of these
            are among them, or no calibration can be found or folded into the last layer.
    """
    items = data.items(["remain"], "validation")
    seen = trained_on(checkpoint, [item["image_id"] for item in items], record)
    if images is None or not items or seen is None:
        raise ConfigError(
            "calibrate: expected validation images of the remain part, and beside the weights a record of the images "
            "that they were trained on; one of the two is missing. Set calibrate: false, or train with a validation "
            "split and this version."
        )
    found = calibration(
        predict(network, images, device=device).logits,
        predict(original, images, device=device).logits,
        old=_shares(data, record.get("parts") or ("forget", "remain")),
        new=_shares(data, ("remain",)),
        images=[str(item["image_id"]) for item in items],
        trained_on=seen,
    )
    for one in (network, *also):
        fold(one, found, images[0]["image"].to(device))
    return found


def _shares(data: CohortData, parts: Sequence[str]) -> list[int]:
    """Return the number of training images of each class."""
    counts = Counter(item["label"] for item in data.items(parts, "train"))
    return [counts.get(number, 0) for number in range(len(data.class_names))]
