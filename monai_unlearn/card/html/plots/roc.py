"""ROC curves in a square: the closer to the diagonal, the less an attack learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from monai_unlearn.card.html.plots.svg import frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SIZE, EDGE = 260.0, 44.0


def roc_plot(
    rates: Sequence[float], curves: Sequence[tuple[str, Sequence[float]]], *, name: str, title: str, description: str
) -> Markup:
    """Return curves.

    Args:
        rates: The false-positive rates, from 0 to 1.
        curves: Of each network its kind (`original`, `revised`, `retrained`) and its true-positive rates.
        name: The plot's id.
        title: What it is.
        description: What it shows, in words.
    """
    marks = [*_axes(), *(_curve(kind, rates, caught) for kind, caught in curves)]
    return frame(
        marks, name=name, title=title, description=description, height=SIZE + 34, width=f"{SIZE + EDGE + 10:.0f}"
    )


def _axes() -> Iterator[Markup]:
    yield Markup('<rect x="{0}" y="8" width="{1}" height="{1}" class="frame"/>').format(EDGE, SIZE)
    yield Markup('<line x1="{}" y1="{}" x2="{}" y2="8" class="diagonal"/>').format(EDGE, SIZE + 8, EDGE + SIZE)
    for share in (0.0, 0.5, 1.0):
        x, y = EDGE + SIZE * share, 8 + SIZE * (1 - share)
        yield Markup('<text x="{}" y="{}" class="tick" text-anchor="middle">{:.0f} %</text>').format(
            min(x, EDGE + SIZE - 14), SIZE + 26, 100 * share
        )
        yield Markup('<text x="{}" y="{}" class="tick" text-anchor="end">{:.0f} %</text>').format(
            EDGE - 4, y + 4, 100 * share
        )


def _curve(kind: str, rates: Sequence[float], caught: Sequence[float]) -> Markup:
    points = " ".join(f"{EDGE + SIZE * x:.1f},{8 + SIZE * (1 - y):.1f}" for x, y in zip(rates, caught, strict=True))
    return Markup('<polyline points="{}" class="curve {}"/>').format(points, kind)


def curve_words(areas: Mapping[str, str]) -> str:
    """Return the areas under the curves as a sentence.

    >>> curve_words({"original": "0.68", "revised": "0.55"})
    'Areas under the curves: original 0.68, revised 0.55. 0.5 is a coin toss.'
    """
    return f"Areas under the curves: {', '.join(f'{name} {area}' for name, area in areas.items())}. 0.5 is a coin toss."
