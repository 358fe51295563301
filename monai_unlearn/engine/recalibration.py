"""Recalibrates BatchNorm: once for the weights that are delivered, and again, independently, for the control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.engine.shared_predictions import SharedPredictions
from monai_unlearn.evaluation import has_running_statistics, recalibrated
from monai_unlearn.evaluation.batchnorm import images_to_recalibrate

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn
    from torch.utils.data import Dataset

# Remain images that recalibration uses for an evaluation during the run: enough for an estimate, and fast.
EVAL_MAX_IMAGES = 128


def as_delivered(
    network: nn.Module,
    remain: Dataset[Any],
    *,
    device: str | torch.device,
    seed: int,
    max_images: int | None = None,
) -> nn.Module:
    """Return the network as it would be delivered if the run ended now: a recalibrated copy.

    Weights that changed under frozen statistics no longer fit these; errors for that reason are not forgetting.

    Args:
        network: The network in training; without running statistics, it is returned itself.
        remain: Remain training images; see `RemainSample`.
        device: Where to compute.
        seed: The run's seed, which orders the images.
        max_images: Use about this many images; all by default.
    """
    if not has_running_statistics(network):
        return network
    return recalibrated(network, remain, device=device, seed=seed, max_images=max_images)


def delivery_images(network: nn.Module, remain: Dataset[Any], *, max_images: int | None = None) -> int:
    """Return how many images `as_delivered` passes through the network, to count costs."""
    if not has_running_statistics(network):
        return 0
    return images_to_recalibrate(len(remain), max_images)  # type: ignore[arg-type]  # torch's Dataset has no __len__


def with_controls(
    networks: Mapping[str, nn.Module],
    remain: Dataset[Any],
    *,
    device: str | torch.device,
    seed: int,
    shared: SharedPredictions | None = None,
) -> dict[str, nn.Module]:
    """Return the networks and, beside each, its recalibrated control, `NAME_recalibrated`.

    The control recalibrates with another order of images than `as_delivered`. With the same order, it would repeat
    the delivered statistics exactly, and could not show that a result depends on one estimate of them.

    Args:
        networks: The networks by name; those without running statistics have no control.
        remain: Remain training images; see `RemainSample`.
        device: Where to compute.
        seed: The run's seed.
        shared: What other runs of an experiment computed already, if it shares that.
    """
    shared = shared or SharedPredictions()
    controls = {
        f"{name}_recalibrated": shared.recalibrated(network, remain, device=device, seed=seed + 1)
        for name, network in networks.items()
        if has_running_statistics(network)
    }
    return {**networks, **controls}
