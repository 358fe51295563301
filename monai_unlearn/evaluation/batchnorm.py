"""The BatchNorm control: is what looks like forgetting in the weights, or only in running statistics?"""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH = 64


def has_running_statistics(network: nn.Module) -> bool:
    """Return whether any BatchNorm of the network keeps running statistics."""
    return any(_tracks(module) for module in network.modules())


def recalibrated(
    network: nn.Module,
    remain: Dataset[Any],
    *,
    device: str | torch.device = "cpu",
    seed: int = 0,
    max_images: int | None = None,
    images: int | None = None,
) -> nn.Module:
    """Return a copy whose running statistics are re-estimated on remain images only.

    Weights stay as they are. The estimate is the plain average over one shuffled pass (PyTorch's
    `momentum=None`), as Izmailov et al. 2018 (arXiv 1803.05407, section 3.2) do after averaging weights.
    An incomplete last batch is left out, so that every image in the average has the same weight.

    Args:
        network: A network with logits; everything but BatchNorm runs in eval mode.
        remain: The remain part's training items, without augmentation.
        device: Where to compute.
        seed: Seeds the order of the images.
        max_images: Use about this many, for an evaluation during the run; by default all.
        images: Use about this many, in several passes over the remain images where these are fewer.
    """
    control = _without_statistics(network)
    generator = torch.Generator().manual_seed(seed)
    count = len(remain)  # type: ignore[arg-type]  # torch's Dataset does not declare __len__
    size = min(BATCH, count)
    loader = DataLoader(remain, batch_size=size, shuffle=True, generator=generator, drop_last=True)
    passed = images_to_recalibrate(count, max_images) if images is None else max(images, size)
    endless = itertools.chain.from_iterable(itertools.repeat(loader))
    with torch.no_grad():
        for batch in itertools.islice(endless, passed // size):
            control(batch["image"].to(device))
    return control.eval()


def statistics(network: nn.Module) -> dict[str, Tensor]:
    """Return the running statistics of each BatchNorm, by the names of the buffers: all that `recalibrated` changes."""
    return {
        f"{name}.{of}": value
        for name, module in network.named_modules()
        if _tracks(module)
        for of, value in module.named_buffers(recurse=False)
    }


def with_statistics(network: nn.Module, found: Mapping[str, Tensor]) -> nn.Module:
    """Return the copy that `recalibrated` returned, from its statistics.

    Raises:
        ValueError: They are not those of such a network.
    """
    control = _without_statistics(network)
    expected = statistics(control)
    if {name: value.shape for name, value in expected.items()} != {name: one.shape for name, one in found.items()}:
        raise ValueError("expected the statistics of each BatchNorm")
    for name, value in expected.items():
        value.copy_(found[name])
    return control.eval()


def _without_statistics(network: nn.Module) -> nn.Module:
    """Return a copy in eval mode but for BatchNorm, which is reset and averages over what it is given."""
    control = copy.deepcopy(network).eval()
    for module in control.modules():
        if isinstance(module, _BatchNorm) and _tracks(module):
            module.reset_running_stats()
            module.momentum = None
            module.train()
    return control


def images_to_recalibrate(count: int, max_images: int | None = None) -> int:
    """Return how many of so many images `recalibrated` passes through the network."""
    size = min(BATCH, count)
    batches = count // size
    return size * (batches if max_images is None else min(batches, max(1, max_images // BATCH)))


def _tracks(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.running_mean is not None
