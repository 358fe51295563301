"""Rewinding: go back to a snapshot of training, then train on remain images from there."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import RemainTraining

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.methods.base import MethodContext


@register(
    MethodInfo(
        name="rewind",
        paper="Mu and Klabjan 2024, Rewind-to-Delete, arXiv 2409.09778",
        equations="θ ← θ of an earlier moment of training; then training's own loss on remain images",
        needs=("remain", "snapshots"),
        suits=("part_of_class", "patients"),
        batch_norm="train mode on remain images, from the snapshot's statistics",
        cost="one gradient per remain image of each step; training must have kept snapshots (--snapshots N)",
        search_space={"method::at": (0.5, 0.75), "training::rate_factor": (1.0, 0.5)},
    )
)
class Rewind(RemainTraining):
    """Takes weights that training had on its way, and trains on remain images from there.

    Rewind-to-Delete (R2D) goes back K of T steps of training and takes as many on the remain data; the earlier the
    moment, the closer to retraining and the dearer. Images to forget have left their trace in the snapshot as well,
    for they were trained on from the first step. Departures: the run is as long as its budget and not K steps; rate,
    schedule, optimiser and augmentation are training's own from its start; no noise is added, so that nothing is
    certified. Early snapshots (5 to 25 % of training) and cohorts of a device did badly in our trials; half to three
    quarters did well for patients who withdraw consent.

    Args:
        at: The moment: a share of training in (0, 1), of which the nearest snapshot is taken, where N snapshots are
            those after 1/(N + 1), 2/(N + 1), … of training; or the number of a snapshot, from 1, the earliest.
        distillation: See `RemainTraining`.
        temperature: See `RemainTraining`.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(self, *, at: float = 0.5, distillation: float = 0.0, temperature: float = 2.0) -> None:
        super().__init__(distillation=distillation, temperature=temperature)
        if isinstance(at, bool) or not (0 < at < 1 or (at >= 1 and at == int(at))):
            raise ConfigError(
                f"rewind: expected at as a share of training in (0, 1) or the number of a snapshot from 1, got {at}."
            )
        self.at = at

    def start(self, context: MethodContext) -> Mapping[str, Tensor]:
        """Return the weights of the snapshot.

        Raises:
            ConfigError: Training kept no snapshots or too few, or one cannot be read or is another network's.
        """
        number = self._number(len(context.snapshots))
        return _read(context.snapshots[number - 1], context.network)

    def _number(self, kept: int) -> int:
        """Return the number of the snapshot, from 1."""
        if not kept:
            raise ConfigError(
                "rewind: expected snapshots of the original's training, got none. Train it again with --snapshots N, "
                "or choose another method, such as reset."
            )
        if self.at >= 1:
            if self.at > kept:
                raise ConfigError(f"rewind: at: {self.at} was given, but training kept {kept} snapshots.")
            return int(self.at)
        # Of two that are as near, the earlier one.
        return min(range(1, kept + 1), key=lambda number: abs(number / (kept + 1) - self.at))


def _read(path: Path, network: nn.Module) -> Mapping[str, Tensor]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        own = network.state_dict()
        fits = {name: value.shape for name, value in found.items()} == {name: v.shape for name, v in own.items()}
    except (OSError, pickle.UnpicklingError, EOFError, RuntimeError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"rewind: the snapshot {path.name} cannot be read as a state dict of tensors ({type(error).__name__}). "
            "Train again with --snapshots N, or give the number of another one with at."
        ) from error
    if not fits:
        raise ConfigError(f"rewind: the snapshot {path.name} is not of the bundle's network_def.")
    state: Mapping[str, Tensor] = found
    return state
