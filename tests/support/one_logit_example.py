"""A network with one logit, and the same one with two, of which the first is always 0."""

from __future__ import annotations

from typing import Any

import torch
from monai.networks.nets import ResNet
from torch import Tensor, nn


class TwoLogits(nn.Sequential):
    """A chain that ends in one logit z, and gives out (0, z): its layers and weights are those of the chain."""

    def forward(self, images: Tensor) -> Tensor:
        """Return (0, z), shape (batch, 2)."""
        z = super().forward(images)
        return torch.cat([torch.zeros_like(z[:, :1]), z], dim=1)


class FourSets(nn.Sequential):
    """A chain that ends in the logits a, b of two labels, and gives out those of their sets: (0, a, b, a + b)."""

    def forward(self, images: Tensor) -> Tensor:
        """Return a logit for each set of labels, shape (batch, 4)."""
        z = super().forward(images)
        return z @ torch.tensor([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]])


class TwoLogitResNet(ResNet):
    """MONAI's ResNet with `num_classes: 1`, giving out (0, z)."""

    def forward(self, images: Tensor) -> Tensor:
        """Return (0, z), shape (batch, 2)."""
        z = super().forward(images)
        return torch.cat([torch.zeros_like(z[:, :1]), z], dim=1)


class AuxiliaryResNet(ResNet):
    """MONAI's ResNet, with an auxiliary head after its first block while it trains, as Inception has one."""

    def __init__(self, *, num_classes: int, **settings: Any) -> None:
        super().__init__(num_classes=num_classes, **settings)
        self.aux = nn.LazyLinear(num_classes)
        self.aux(torch.zeros(1, settings["block_inplanes"][0]))

    def forward(self, images: Tensor) -> Any:
        """Return logits and auxiliary logits in training mode, and the logits otherwise."""
        if not self.training:
            return super().forward(images)
        early = self.layer1(self.act(self.bn1(self.conv1(images))))
        return super().forward(images), self.aux(early.mean((2, 3)))


class TwoHeads(nn.Module):
    """A linear network whose auxiliary head is returned too while it trains, as those of Inception are."""

    def __init__(self, *, kind: type = tuple, always: bool = False) -> None:
        super().__init__()
        self.main, self.aux = nn.Linear(4, 2), nn.Linear(4, 2)
        self.kind, self.always = kind, always

    def forward(self, images: Tensor) -> object:
        """Return both outputs in training mode, and the main one otherwise."""
        images = images.flatten(1)
        if not (self.training or self.always):
            return self.main(images)
        if self.kind is dict:
            return {"aux": self.aux(images), "out": self.main(images)}
        return self.kind((self.main(images), self.aux(images)))
