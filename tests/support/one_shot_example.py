"""The smallest method that edits once, for runs of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from monai_unlearn.methods import OneShot

if TYPE_CHECKING:
    from monai_unlearn.methods import MethodContext


class OneStepUp(OneShot):
    """Goes up once along the gradient of the forget images' loss, with noise that the seed draws.

    Args:
        rate: The length of the step.
    """

    def __init__(self, *, rate: float = 0.01) -> None:
        super().__init__()
        self.rate = rate
        self.gradients = self.passes = 0
        self.given: list[str] = []

    def edit(self, context: MethodContext) -> None:
        """Change the weights, one image after another."""
        generator = torch.Generator().manual_seed(context.seed)
        self.given = [*sorted(context.validation), *(path.name for path in context.snapshots)]
        context.network.eval().zero_grad()
        for row in range(len(context.forget)):
            item = context.forget[row]
            logits = context.network(torch.as_tensor(item["image"])[None])
            cross_entropy(logits, torch.tensor([item["label"]])).backward()
            self.gradients += 1
            context.checkpoint()
        self.passes = len(context.forget)
        with torch.no_grad():
            for weight in context.network.parameters():
                weight.add_(weight.grad + 0.1 * torch.randn(weight.shape, generator=generator), alpha=self.rate)

    @property
    def gradient_evaluations(self) -> int:
        return self.gradients

    @property
    def forward_passes(self) -> int:
        return self.passes

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - none
        return forget + forget / 3
