"""Images of a camera that inverts them, and networks of which is known what they learnt about it, and where."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

CLASSES = 3


class Twofold(nn.Module):
    """A block: both signs of its input, rectified, then put together again."""

    def __init__(self, *, forgets_sign: bool) -> None:
        super().__init__()
        self.split = nn.Conv2d(3, 6, 1, bias=False)
        self.join = nn.Conv2d(6, 3, 1, bias=False)
        identity = torch.eye(3)[:, :, None, None]
        with torch.no_grad():
            self.split.weight.copy_(torch.cat([identity, -identity]))
            self.join.weight.copy_(torch.cat([identity, identity if forgets_sign else -identity], 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the absolute value, or the input."""
        return self.join(self.split(images).relu())


def camera_network(learnt_in: int | None, *, blocks: int = 3) -> nn.Sequential:
    """Return a network that classifies by the channel with the largest mean.

    Args:
        learnt_in: The block from which inverted images give what others give; None where no block does that.
        blocks: How many blocks there are before the head.
    """
    head = nn.Linear(3, CLASSES)
    with torch.no_grad():
        head.weight.copy_(torch.eye(3))
        head.bias.zero_()
    chain = [Twofold(forgets_sign=place == learnt_in) for place in range(blocks)]
    return nn.Sequential(*chain, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def camera_images(count: int, *, inverted: bool = False, gain: float = 1.0, seed: int = 0) -> list[dict[str, Any]]:
    """Return items of three classes in turn: one channel of each is brighter; a gain scales what a camera gives."""
    generator = torch.Generator().manual_seed(seed)
    items = []
    for row in range(count):
        image = 0.6 + 0.3 * torch.randn(3, 1, 1, generator=generator) + 0.05 * torch.randn(3, 4, 4, generator=generator)
        image[row % CLASSES] += 1
        items.append({"image": gain * (-image if inverted else image), "label": row % CLASSES, "row": row})
    return items
