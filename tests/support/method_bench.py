"""A small network, images and a context to test methods with."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from monai_unlearn.methods import MethodContext, PixelSpace

SPACE = PixelSpace(mean=(0.5,) * 3, std=(0.25,) * 3)


def small_network(seed: int = 0) -> nn.Sequential:
    """Return a network with one convolution and BatchNorm, whose running statistics are not the initial ones."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    network[1].running_mean.uniform_(-0.2, 0.2)
    network[1].running_var.uniform_(0.2, 0.4)
    return network


def small_items(count: int = 20) -> list[dict[str, Any]]:
    """Return items with images of 8 x 8 pixels, three classes in turn, and their rows."""
    generator = torch.Generator().manual_seed(1)
    return [{"image": torch.randn(3, 8, 8, generator=generator), "label": i % 3, "row": i} for i in range(count)]


def context_of(network: nn.Module, items: list[dict[str, Any]], *, seed: int = 0, **settings: Any) -> MethodContext:
    """Return a context on the CPU, whose remain images are the items too unless others are given."""
    settings = {"remain": items, **settings}
    return MethodContext(
        network=network, forget=items, pixel_space=SPACE, device=torch.device("cpu"), seed=seed, **settings
    )


def batch_of(items: list[dict[str, Any]], forget: list[int], remain: list[int]) -> dict[str, Any]:
    """Return the batch that a `PairedLoader` yields for these rows."""
    return {part: collate([items[row] for row in rows]) for part, rows in (("forget", forget), ("remain", remain))}


def collate(chosen: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Stack items."""
    return {
        "image": torch.stack([item["image"] for item in chosen]),
        "label": torch.tensor([item["label"] for item in chosen]),
        "row": torch.tensor([item["row"] for item in chosen]),
    }


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Return whether two states are the same, bit for bit."""
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())
