"""A funnel: how many images are left after each rule, as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from monai_unlearn.card.html.plots.svg import frame, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROW = 46.0
SHOWN = 44
"""Characters of a rule that fit a phone; the table beside the plot has it whole."""


def funnel(steps: Sequence[tuple[str, int, int]], *, name: str, title: str) -> Markup:
    """Return a funnel.

    Args:
        steps: Of each step what it keeps, in words, and how many images and patients are left.
        name: The plot's id.
        title: What it is.
    """
    most = max((images for _, images, _ in steps), default=0) or 1
    described = [f"{words}: {images:,} images of {patients:,} patients." for words, images, patients in steps]
    return frame(_bars(steps, most), name=name, title=title, description=" ".join(described), height=ROW * len(steps))


def _bars(steps: Sequence[tuple[str, int, int]], most: int) -> Iterator[Markup]:
    for number, (words, images, patients) in enumerate(steps):
        y = ROW * number
        yield text(words if len(words) <= SHOWN else f"{words[: SHOWN - 1]}…", x="0%", y=y + 15, css="heading")
        yield Markup('<rect x="0" y="{:.1f}" width="{:.1f}%" height="18" class="{}"/>').format(
            y + 21, max(100 * images / most, 0.5), "caught" if number == len(steps) - 1 else "step"
        )
        yield text(f"{images:,} images, {patients:,} patients", x="1%", y=y + 34, css="count")
