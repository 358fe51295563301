"""A trainer over random numbers that takes milliseconds: what tests of the engine's parts share."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from monai_unlearn.data import PairedLoader
from monai_unlearn.engine import UnlearnTrainer
from monai_unlearn.methods import PixelSpace
from monai_unlearn.methods.base import Method, MethodContext

SPACE = PixelSpace(mean=(0.0,), std=(1.0,))


class Plain(Method):
    """Descends on the mean cross entropy of each part, and notes the phase and the size of each batch."""

    def __init__(self):
        super().__init__()
        self.given = []

    def loss(self, batch):
        self.given.append((self.phase, {part: len(items["image"]) for part, items in batch.items()}))
        return sum(
            nn.functional.cross_entropy(self.network(items["image"]), items["label"]) for items in batch.values()
        )


def items(n: int, label: int = 0, classes: int = 2) -> list[dict[str, Any]]:
    """Make items of shape (1, 4) with labels in turn, the same ones at every call."""
    generator = torch.Generator().manual_seed(label)
    return [
        {"image": torch.randn(1, 4, generator=generator), "label": (label + row) % classes, "row": row}
        for row in range(n)
    ]


def tiny_trainer(
    method: Method | None = None,
    *,
    n: int = 12,
    classes: int = 2,
    layer: nn.Module | None = None,
    num_workers: int = 0,
    **options: Any,
) -> UnlearnTrainer:
    """Make a trainer of n forget and 3n remain images in batches of 4 and 8; its method is prepared.

    Args:
        method: The method; by default a `Plain`.
        n: Number of forget images.
        classes: Number of classes among their labels; the network has two outputs.
        layer: A layer before the linear one.
        num_workers: Processes that load batches ahead.
        options: Arguments of `UnlearnTrainer`.
    """
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), layer or nn.Identity(), nn.Linear(4, 2))
    loader = PairedLoader(
        forget=items(n, classes=classes),
        remain=items(3 * n, label=1),
        batch_size=4,
        remain_batch_size=8,
        num_workers=num_workers,
    )
    method = method or Plain()
    method.prepare(
        MethodContext(
            network=network, forget=loader.data["forget"], pixel_space=SPACE, device=torch.device("cpu"), seed=0
        )
    )
    settings = {"max_epochs": 2, **options}
    return UnlearnTrainer(
        device="cpu",
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        method=method,
        train_data_loader=loader,
        **settings,
    )


def weights_of(engine: UnlearnTrainer) -> torch.Tensor:
    """Return all parameters as one vector."""
    return torch.cat([weight.detach().flatten() for weight in engine.network.parameters()])
