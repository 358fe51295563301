"""Convergence of a search: the inner objective, and the measure that converges for sign methods.

For a maximisation of F over the box B = {x : l ≤ x ≤ u}, with gradient g at x and rᵢ the distance that coordinate
i can still move in the direction of gᵢ's sign (uᵢ − xᵢ where gᵢ > 0, xᵢ − lᵢ where gᵢ < 0):

    gap(x)      = max { ⟨g, s − x⟩ : s in B } = Σᵢ |gᵢ| rᵢ                          (Frank–Wolfe)
    slope(x, η) = 1/η · max { ⟨g, s − x⟩ : s in B, ‖s − x‖∞ ≤ η } = Σᵢ |gᵢ| min(1, rᵢ/η)

Both are 0 exactly where no direction increases F. Inside the box, where all rᵢ ≥ η, the slope is ‖g‖₁: the
measure that signSGD's rate bounds (Bernstein et al. 2018, arXiv 1802.04434, Theorem 1). A projected sign step
of size ηₜ increases F by at least

    F(xₜ) − F(xₜ₋₁) ≥ ηₜ slope(xₜ₋₁, ηₜ) − ‖L‖₁ ηₜ² / 2,

where Lᵢ bounds the curvature along coordinate i. Summed over t = 1 … T, with D = max F − F(x₀):

    min slope ≤ ( D + ‖L‖₁/2 · Σ ηₜ² ) / Σ ηₜ,

which is O(1/√T) for steps ε/√T, and O(log T / √T) for the steps ε/√t that the search takes. In the ε-ball
rᵢ ≤ 2ε, so gap ≤ 2ε · slope for η ≤ 2ε, and the gap decreases at the same rate.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from monai_unlearn.methods.projection import Box


def gap(gradient: Tensor, points: Tensor, box: Box) -> Tensor:
    """Return the Frank–Wolfe gap of each point, shape (batch,); see the module's docstring."""
    return (gradient.abs() * box.slack(points, gradient)).flatten(1).sum(1)


def slope(gradient: Tensor, points: Tensor, box: Box, *, size: float) -> Tensor:
    """Return the slope of each point for steps of a size, shape (batch,); see the module's docstring."""
    return (gradient.abs() * (box.slack(points, gradient) / size).clamp_max(1)).flatten(1).sum(1)


@dataclass(frozen=True, kw_only=True)
class SearchStep:
    """Measures of a search before a step, as means over its images.

    Args:
        step: t, from 1.
        size: ηₜ, in pixel units.
        images: Number of images in the means.
        objective: The inner objective, CE − λₜ/2 ‖x − x₀‖².
        gap: The Frank–Wolfe gap.
        slope: The slope for steps of this size.
    """

    step: int
    size: float
    images: int
    objective: float
    gap: float
    slope: float


@dataclass(kw_only=True)
class SearchTrace:
    """Records a search step by step; `steps` are in order, t = 1 … T."""

    _sizes: list[float] = field(default_factory=list)
    _sums: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, table: Tensor, *, epsilon: float) -> SearchTrace:
        """Return the trace that has this `table`, for a search with steps ε/√t."""
        return cls(
            _sizes=[epsilon / math.sqrt(step) for step in range(1, len(table) + 1)], _sums=[row.cpu() for row in table]
        )

    def record(self, *, size: float, objective: Tensor, gradient: Tensor, point: Tensor, box: Box) -> None:
        """Record the next step of a batch.

        Args:
            size: ηₜ.
            objective: The inner objective of each image, shape (batch,).
            gradient: Its gradient, without noise, shape (batch, …).
            point: Where the gradient was taken, same shape.
            box: The points that the search may visit.
        """
        images = torch.ones_like(objective)
        measured = (images, objective, gap(gradient, point, box), slope(gradient, point, box, size=size))
        self._sizes.append(size)
        self._sums.append(torch.stack([values.double().sum() for values in measured]).cpu())

    def table(self) -> Tensor:
        """Return sums over images, float64, shape (step, 4): images, objective, gap, slope.

        Tables of several batches may be added.
        """
        return torch.stack(self._sums)

    @property
    def steps(self) -> list[SearchStep]:
        """The steps so far, in order."""
        found = []
        for step, (size, sums) in enumerate(zip(self._sizes, self._sums, strict=True), start=1):
            objective, gap_, slope_ = (sums[1:] / sums[0]).tolist()
            found.append(
                SearchStep(step=step, size=size, images=int(sums[0]), objective=objective, gap=gap_, slope=slope_)
            )
        return found

    def document(self) -> list[dict[str, Any]]:
        """Return the steps as plain values."""
        return [asdict(step) for step in self.steps]

    def write(self, folder: Path) -> list[Path]:
        """Write `search.json` and `search.png` into a folder, which is created; return both paths."""
        folder.mkdir(parents=True, exist_ok=True)
        document, figure = folder / "search.json", folder / "search.png"
        document.write_text(json.dumps(self.document(), indent=2) + "\n", encoding="utf-8")
        self.plot(figure)
        return [document, figure]

    def plot(self, path: Path) -> None:
        """Plot objective, gap and slope over the steps, with 1/√t as a guide; the path's suffix sets the format."""
        from matplotlib.figure import Figure

        steps = self.steps
        numbers = [step.step for step in steps]
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(numbers, [step.objective for step in steps], marker=".")
        left.set(xlabel="search step", ylabel="inner objective")
        for name in ("gap", "slope"):
            right.loglog(numbers, [getattr(step, name) for step in steps], marker=".", label=name)
        right.loglog(numbers, [steps[0].slope / number**0.5 for number in numbers], "k:", label="1/√t")
        right.set(xlabel="search step", ylabel="distance from stationarity")
        right.legend()
        temporary = path.with_name(f".{path.name}.partial")
        figure.savefig(temporary, format=path.suffix.removeprefix("."))
        temporary.replace(path)
