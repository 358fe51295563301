"""The last step of a run that asks for it: logits calibrated on validation images that no network was trained on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.engine.trained_pixels import trained_on
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import predict
from monai_unlearn.methods.calibrate import Calibration, calibration, check_folds, check_given, fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch
    from torch import nn
    from torch.utils.data import Dataset

    from monai_unlearn.data import CohortData


@dataclass(frozen=True, kw_only=True)
class Calibrating:
    """What a run calibrates with, known before its first step and found fit for it.

    Attributes:
        images: The remain part's validation images.
        names: Their identifiers, in the same order.
        trained_on: The identifiers of those among them that the original was trained on.
        old: The number of training images of each class, for the original.
        new: The same for the remain part.
        device: Where the networks are.
    """

    images: Dataset[Any]
    names: tuple[str, ...]
    trained_on: frozenset[str]
    old: tuple[int, ...]
    new: tuple[int, ...]
    device: torch.device

    @classmethod
    def of_run(
        cls,
        network: nn.Module,
        *,
        data: CohortData,
        images: Dataset[Any] | None,
        checkpoint: Path,
        record: Mapping[str, Any],
        device: torch.device,
    ) -> Calibrating:
        """Collect it, and refuse what would be refused after the last step.

        Args:
            network: The network to revise, on its device.
            data: The images of the run.
            images: The remain part's validation images; None where there are none.
            checkpoint: The original weights, beside which stands which images they were trained on.
            record: Their training record.
            device: Where the networks are.

        Raises:
            ConfigError: There are no such images or too few, it is not known which images the weights were trained on,
                some of these are among them, or the last layer takes no calibration.
        """
        items = data.items(["remain"], "validation")
        seen = trained_on(checkpoint, [item["image_id"] for item in items], record)
        if images is None or not items or seen is None:
            raise ConfigError(
                "calibrate: expected validation images of the remain part, and beside the weights a record of the "
                "images that they were trained on; one of the two is missing. Set calibrate: false, or train with a "
                "validation split and this version."
            )
        found = cls(
            images=images,
            names=tuple(str(item["image_id"]) for item in items),
            trained_on=frozenset(seen),
            old=_shares(data, record.get("parts") or ("forget", "remain")),
            new=_shares(data, ("remain",)),
            device=device,
        )
        check_given(**found._given)
        check_folds(network, images[0]["image"].to(device))
        return found

    @property
    def _given(self) -> dict[str, Any]:
        return {"old": self.old, "new": self.new, "images": self.names, "trained_on": self.trained_on}

    @property
    def forward_passes(self) -> int:
        """How many images it passes through a network: the original and the revised one."""
        return 2 * len(self.names)

    def calibrate(self, network: nn.Module, original: nn.Module, *, also: Sequence[nn.Module] = ()) -> Calibration:
        """Calibrate a revised network, in place; see `methods.calibrate.calibration`.

        Args:
            network: The revised network.
            original: The original network.
            also: Networks that are given the same calibration, in place.

        Raises:
            ConfigError: No calibration gives the expected means, or the last layer does not take it.
        """
        logits = [predict(one, self.images, device=self.device).logits for one in (network, original)]
        found = calibration(*logits, **self._given)
        for one in (network, *also):
            fold(one, found, self.images[0]["image"].to(self.device))
        return found


def _shares(data: CohortData, parts: Sequence[str]) -> tuple[int, ...]:
    """Return the number of training images of each class."""
    counts = Counter(item["label"] for item in data.items(parts, "train"))
    return tuple(counts.get(number, 0) for number in range(len(data.class_names)))
