"""Dots with intervals, one strip for each thing that is compared, one lane for each network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from monai_unlearn.card.html.plots.svg import bar, frame, line, place, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Interval = Sequence[float]

TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
LANE, HEAD, GAP, AXIS = 16.0, 38.0, 10.0, 26.0
"""Heights in pixels: of a lane, of a strip's heading, between strips, of the axis."""


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A value of a network.

    Attributes:
        kind: `original`, `revised` or `retrained`: the shape and colour.
        name: The network, as the lane calls it.
        value: In [0, 1], or None where there is none.
        interval: Its interval, if there is one.
    """

    kind: str
    name: str
    value: float | None
    interval: Interval | None = None

    @property
    def words(self) -> str:
        """The dot as text: `revised 38 % (30 to 46)`."""
        if self.value is None:
            return f"{self.name} not measured"
        interval = "" if self.interval is None else f" ({100 * self.interval[0]:.0f} to {100 * self.interval[1]:.0f})"
        return f"{self.name} {100 * self.value:.0f} %{interval}"


@dataclass(frozen=True, kw_only=True)
class Strip:
    """What several networks are compared on.

    Attributes:
        heading: What it is.
        note: What stands below the heading, such as how many patients there are.
        dots: The networks' values.
        band: Where the revised value may lie, shaded; None where nothing says so.
    """

    heading: str
    note: str
    dots: Sequence[Dot]
    band: Interval | None = None

    @property
    def words(self) -> str:
        """The strip as a sentence."""
        band = "" if self.band is None else f"; allowed are {100 * self.band[0]:.0f} to {100 * self.band[1]:.0f} %"
        return f"{self.heading}, {self.note}: {', '.join(dot.words for dot in self.dots)}{band}."

    @property
    def height(self) -> float:
        """In pixels."""
        return HEAD + LANE * len(self.dots) + GAP


def dot_plot(strips: Sequence[Strip], *, name: str, title: str) -> Markup:
    """Return a plot of shares, from 0 to 100 %.

    Args:
        strips: What is compared, from top to bottom.
        name: The plot's id.
        title: What it is.
    """
    height = sum(strip.height for strip in strips) + AXIS
    return frame(
        [*_axis(height), *_strips(strips)],
        name=name,
        title=title,
        description=" ".join(strip.words for strip in strips),
        height=height,
    )


def _axis(height: float) -> Iterator[Markup]:
    for tick in TICKS:
        x = place(tick)
        yield line(x1=x, x2=x, y1=0, y2=height - AXIS, css="grid")
        yield text(
            f"{100 * tick:.0f} %" if tick in TICKS[::2] else f"{100 * tick:.0f}",
            x=x,
            y=height - 8,
            css="tick",
            anchor="middle",
        )


def _strips(strips: Sequence[Strip]) -> Iterator[Markup]:
    y = 0.0
    for strip in strips:
        yield text(strip.heading, x="0%", y=y + 14, css="heading")
        yield text(strip.note, x="0%", y=y + 30, css="lane")
        top, lanes = y + HEAD, LANE * len(strip.dots)
        if strip.band is not None:
            yield bar(start=place(strip.band[0]), stop=place(strip.band[1]), y=top, height=lanes, css="band")
        for number, dot in enumerate(strip.dots):
            yield from _lane(dot, top + LANE * (number + 0.5))
        y += strip.height


def _lane(dot: Dot, y: float) -> Iterator[Markup]:
    yield text(dot.name, x="1.5%", y=y + 4, css="lane")
    if dot.value is None:
        yield text("not measured", x=place(0), y=y + 4, css="lane")
        return
    if dot.interval is not None:
        low, high = (place(value) for value in dot.interval)
        yield line(x1=low, x2=high, y1=y, y2=y, css=f"interval {dot.kind}")
    yield mark(dot.kind, x=place(dot.value), y=y)


def mark(kind: str, *, x: str, y: float) -> Markup:
    """Return the mark of a kind of network; shapes differ as well as colours.

    A square (original), a filled circle (revised), a small ring (retrained).
    """
    if kind == "original":
        # A rectangle has no centre: it is moved by half its size.
        return Markup(
            '<rect x="{}" y="{:.1f}" width="9" height="9" transform="translate(-4.5 -4.5)" class="mark {}"/>'
        ).format(x, y, kind)
    radius = 5.5 if kind == "revised" else 4
    return Markup('<circle cx="{}" cy="{:.1f}" r="{}" class="mark {}"/>').format(x, y, radius, kind)
