"""A forest plot: a line for each subgroup, original above, revised in the middle, the range of retrained below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.card.html.plots.dots import mark
from monai_unlearn.card.html.plots.svg import bar, frame, line, place, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

ROW, AXIS, STEP, HEAD = 56.0, 26.0, 9.0, 20.0
LEFT, WIDTH = 4.0, 90.0
TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A subgroup.

    Attributes:
        name: The subgroup.
        note: What stands below its name, such as how many patients it has.
        original: The original's value in [0, 1].
        revised: The revised network's, or None.
        interval: Its interval, if there is one.
        retrained: The smallest and largest value of the retrained networks, if there are any.
    """

    name: str
    note: str
    original: float | None
    revised: float | None
    interval: Sequence[float] | None
    retrained: tuple[float, float] | None

    @property
    def words(self) -> str:
        """The subgroup as a sentence."""
        found = [f"original {_percent(self.original)}", f"revised {_percent(self.revised)}"]
        if self.interval is not None:
            found[-1] += f" ({100 * self.interval[0]:.0f} to {100 * self.interval[1]:.0f})"
        if self.retrained is not None:
            found.append(f"retrained {100 * self.retrained[0]:.0f} to {100 * self.retrained[1]:.0f} %")
        return f"{self.name}, {self.note}: {', '.join(found)}."


def forest_plot(lines: Sequence[Line], *, name: str, title: str, lowest: float = 0.0) -> Markup:
    """Return a plot of shares.

    Args:
        lines: The subgroups, from top to bottom.
        name: The plot's id.
        title: What it is.
        lowest: Where the axis begins, in [0, 1): small differences near 100 % need a short axis.
    """
    height = ROW * len(lines) + AXIS
    marks = [*_axis(height, lowest), *(one for row, of in enumerate(lines) for one in _line(of, ROW * row, lowest))]
    return frame(marks, name=name, title=title, description=" ".join(one.words for one in lines), height=height)


def _at(share: float) -> str:
    """Return where a share of this plot's axis lies."""
    return place(share, left=LEFT, width=WIDTH)


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:.0f} %"


def _axis(height: float, lowest: float) -> Iterator[Markup]:
    for tick in TICKS:
        yield line(x1=_at(tick), x2=_at(tick), y1=0, y2=height - AXIS, css="grid")
        value = 100 * (lowest + tick * (1 - lowest))
        yield text(
            f"{value:.0f} %" if tick in (TICKS[0], TICKS[-1]) else f"{value:.0f}",
            x=_at(tick),
            y=height - 8,
            css="tick",
            anchor="middle",
        )


def _line(one: Line, y: float, lowest: float) -> Iterator[Markup]:
    def share(value: float) -> float:
        return (value - lowest) / (1 - lowest)

    middle = y + HEAD + (ROW - HEAD) / 2
    yield text(f"{one.name}, {one.note}", x="0%", y=y + 14, css="heading")
    yield line(x1="0%", x2="100%", y1=y + ROW, y2=y + ROW, css="rule")
    if one.retrained is not None:
        low, high = one.retrained
        yield bar(start=_at(share(low)), stop=_at(share(high)), y=middle + STEP - 2, height=4, css="range")
        yield from (mark("retrained", x=_at(share(value)), y=middle + STEP) for value in (low, high))
    if one.original is not None:
        yield mark("original", x=_at(share(one.original)), y=middle - STEP)
    if one.revised is not None:
        if one.interval is not None:
            low_x, high_x = (_at(share(value)) for value in one.interval)
            yield line(x1=low_x, x2=high_x, y1=middle, y2=middle, css="interval revised")
        yield mark("revised", x=_at(share(one.revised)), y=middle)
