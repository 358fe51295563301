"""Points in a square: the embeddings of one network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from monai_unlearn.card.html.plots.svg import frame

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE, EDGE = 200.0, 8.0
COLOURS = 8
"""Classes are told apart by so many colours; more classes repeat them."""


def scatter(points: Sequence[Sequence[float]], *, name: str, title: str, description: str) -> Markup:
    """Return a panel.

    Args:
        points: Of each image x and y in [0, 1], the number of its class, and 1 if it is to be forgotten.
        name: The plot's id.
        title: What it is.
        description: What it shows, in words.
    """
    marks = [
        Markup('<rect x="0.5" y="0.5" width="{0}" height="{0}" class="frame"/>').format(SIZE - 1),
        *(_point(x, y, int(number), forget=bool(forget)) for x, y, number, forget in points),
    ]
    return frame(marks, name=name, title=title, description=description, height=SIZE, width=f"{SIZE:.0f}")


def _point(x: float, y: float, number: int, *, forget: bool) -> Markup:
    across, down = (EDGE + (SIZE - 2 * EDGE) * value for value in (x, 1 - y))
    css = f"class-{number % COLOURS}"
    if forget:
        corners = f"{across:.1f},{down - 4.5:.1f} {across - 4:.1f},{down + 3:.1f} {across + 4:.1f},{down + 3:.1f}"
        return Markup('<polygon points="{}" class="forget {}"/>').format(corners, css)
    return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3" class="other {}"/>').format(across, down, css)
