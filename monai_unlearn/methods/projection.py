"""The ε projection: the box of points that a search may visit, and the projection onto it.

`BoundarySearch.ascend` in `boundary.py` applies it after each step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Box:
    """The ε-ball in the maximum norm, cut to the valid pixel range: a box.

    Args:
        lowest: Smallest value of each coordinate, shape (batch, …).
        highest: Largest value of each coordinate, same shape.
    """

    lowest: Tensor
    highest: Tensor

    @classmethod
    def around(cls, centre: Tensor, radius: float, *, low: float = -math.inf, high: float = math.inf) -> Box:
        """Return the box of a search.

        Args:
            centre: Where the search starts, shape (batch, …).
            radius: ε, in the units of the centre.
            low: Smallest valid value.
            high: Largest valid value.
        """
        return cls(lowest=(centre - radius).clamp_min(low), highest=(centre + radius).clamp_max(high))

    def project(self, points: Tensor) -> Tensor:
        """Return the nearest points of the box: each coordinate is clipped."""
        return torch.minimum(torch.maximum(points, self.lowest), self.highest)

    def slack(self, points: Tensor, direction: Tensor) -> Tensor:
        """Return how far each coordinate can move along the sign of a direction; 0 where the direction is 0."""
        ahead = torch.where(direction > 0, self.highest - points, points - self.lowest)
        return torch.where(direction == 0, torch.zeros_like(ahead), ahead).clamp_min(0)
