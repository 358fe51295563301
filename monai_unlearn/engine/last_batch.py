"""Leaves out the last batch of an epoch where it is a single image that BatchNorm cannot be trained on."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from monai.data import Dataset

from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from ignite.engine import Engine
    from torch import nn


def leave_out_single_image(trainer: Engine) -> bool:
    """Drop the last batch of each epoch, if it is one image and the network cannot be trained on one; return whether.

    In train mode, BatchNorm needs more than one value a channel. A network whose last feature map is one pixel, as that
    of a ResNet on small images, has one value of a single image, and PyTorch raises. Whether the number of images
    leaves one over depends on the cohort, so that the third of many trainings would fail. Where a single image can be
    trained on, nothing changes. Images are shuffled, so that another one is left out of each epoch.

    Args:
        trainer: A MONAI trainer, with `data_loader` and `network`, that has not run yet; any other is left as it is.
    """
    loader, network = getattr(trainer, "data_loader", None), getattr(trainer, "network", None)
    batches = getattr(loader, "batch_sampler", None)
    if batches is None or network is None or getattr(batches, "drop_last", True):
        return False
    if len(batches.sampler) % batches.batch_size != 1 or len(batches) < 2:  # noqa: PLR2004 - one batch must be left
        return False
    if _takes_one_image(network, loader.dataset):  # type: ignore[union-attr]  # it has a batch sampler
        return False
    batches.drop_last = True
    trainer.state.epoch_length = len(batches)
    say(
        "Note: the last batch of an epoch would be a single image, from which BatchNorm cannot learn at this image "
        "size; each epoch leaves it out.",
        err=True,
    )
    return True


def _takes_one_image(network: nn.Module, dataset: Any) -> bool:  # noqa: ANN401 - any map-style data set
    """Return whether a network can be trained on one image; nothing is learnt from it, nor drawn."""
    device = next(network.parameters()).device
    image = torch.zeros_like(torch.as_tensor(_first(dataset)["image"]))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), torch.no_grad():
        try:
            copy.deepcopy(network).train()(image[None].to(device))
        except ValueError as error:
            return "more than 1 value per channel" not in str(error)
    return True


def _first(dataset: Any) -> Any:  # noqa: ANN401 - any map-style data set
    """Return its first item, without a draw from the random state of its transform, if it is MONAI's."""
    if not isinstance(dataset, Dataset):
        return dataset[0]
    return Dataset(data=[dataset.data[0]], transform=copy.deepcopy(dataset.transform))[0]
