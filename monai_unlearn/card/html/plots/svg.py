"""What all plots share: the frame with its text alternative, and where a value lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable

LEFT, WIDTH = 32.0, 61.0
"""Where the axis begins and how wide it is, in percent of the plot; names of lanes stand to its left."""


def place(share: float, *, left: float = LEFT, width: float = WIDTH) -> str:
    """Return where a share of the axis, in [0, 1], lies: a percentage of the plot's width.

    >>> place(0.5)
    '62.5%'
    """
    return f"{left + width * min(max(share, 0.0), 1.0):.1f}%"


def frame(
    marks: Iterable[Markup], *, name: str, title: str, description: str, height: float, width: str = "100%"
) -> Markup:
    """Return a plot.

    Args:
        marks: What it shows.
        name: Its id in the page.
        title: What it is.
        description: What it shows, in words, for those who do not see it.
        height: Its height in pixels.
        width: Its width, in pixels or percent.
    """
    return Markup(
        '<svg class="plot" role="img" aria-labelledby="{name}-title {name}-text" width="{width}" height="{height:.0f}" '
        'xmlns="http://www.w3.org/2000/svg"><title id="{name}-title">{title}</title>'
        '<desc id="{name}-text">{description}</desc>{marks}</svg>'
    ).format(name=name, width=width, height=height, title=title, description=description, marks=Markup("").join(marks))


def text(words: str, *, x: str, y: float, css: str = "", anchor: str = "start") -> Markup:
    """Return a text; x in percent, y in pixels."""
    return Markup('<text x="{}" y="{:.1f}" class="{}" text-anchor="{}">{}</text>').format(x, y, css, anchor, words)


def line(*, x1: str, x2: str, y1: float, y2: float, css: str) -> Markup:
    """Return a line; x in percent, y in pixels."""
    return Markup('<line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}" class="{}"/>').format(x1, x2, y1, y2, css)


def bar(*, start: str, stop: str, y: float, height: float, css: str) -> Markup:
    """Return a bar between two places, the lower one first; see `place`."""
    low, high = (float(value.rstrip("%")) for value in (start, stop))
    return Markup('<rect x="{:.1f}%" y="{:.1f}" width="{:.1f}%" height="{:.1f}" class="{}"/>').format(
        low, y, high - low, height, css
    )
