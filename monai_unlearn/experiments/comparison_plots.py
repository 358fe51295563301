"""The plots of a comparison, as SVG: gaps to retrained networks, distance against cost, recall by class."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

_HOT, _COOL, _GREY = "#b3423a", "#2a7f62", "#9aa0a6"


def plots(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the plots by file name: three for each cohort and budget with a row that finished."""
    found: dict[str, str] = {}
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in document["rows"]:
        if row["status"] == "finished":
            groups.setdefault((row["cohort"], row["budget"]), []).append(row)
    for (cohort, budget), rows in groups.items():
        name = f"{re.sub('[^a-zA-Z0-9_-]', '_', cohort)}-{100 * budget:g}"
        found[f"gaps-{name}.svg"] = _svg(_gaps(rows, title=f"{cohort}, {budget:.0%}"))
        found[f"distance-{name}.svg"] = _svg(_distance(rows, title=f"{cohort}, {budget:.0%}"))
        found[f"classes-{name}.svg"] = _svg(_classes(rows, title=f"{cohort}, {budget:.0%}, forget test"))
    return found


def _gaps(rows: Sequence[Mapping[str, Any]], *, title: str) -> Figure:
    figure, axes = _axes(title)
    for forget, remain in rows[0]["retrained_gaps"]:
        axes.plot(100 * forget, 100 * remain, "s", color=_COOL, alpha=0.6)
    spread = rows[0]["retrained_gaps"]
    if spread:
        lows, highs = (
            [min(column) for column in zip(*spread, strict=True)],
            [max(column) for column in zip(*spread, strict=True)],
        )
        axes.axvspan(100 * lows[0], 100 * highs[0], color=_COOL, alpha=0.12)
        axes.axhspan(100 * lows[1], 100 * highs[1], color=_COOL, alpha=0.12)
    _points(axes, rows, "forget_gap", "remain_gap", factor=100)
    axes.set(xlabel="forget test: points above the retrained networks", ylabel="remain test: points above them")
    return figure


def _distance(rows: Sequence[Mapping[str, Any]], *, title: str) -> Figure:
    figure, axes = _axes(title)
    shown = [
        {**row, "distance": row["distance_ratio"]["value"]}
        for row in rows
        if row["distance_ratio"] and row["distance_ratio"]["value"]
    ]
    axes.axhline(1.0, color=_COOL, linestyle="--")
    _points(axes, shown, "share_of_retraining", "distance")
    axes.set(xlabel="share of retraining's gradients", ylabel="distance ratio (forget test, equally sure)")
    if shown:
        # From 0 on: methods that keep to the same budget would lie far apart in a plot of their differences.
        axes.set_xlim(0, 1.2 * max(row["share_of_retraining"] for row in shown))
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    return figure


def _classes(rows: Sequence[Mapping[str, Any]], *, title: str) -> Figure:
    figure, axes = _axes(title)
    names = sorted({name for row in rows for name in row["classes"]})
    for place, name in enumerate(names):
        known = [row["classes"][name] for row in rows if name in row["classes"]]
        axes.plot(place, 100 * known[0]["original"], "_", color=_GREY, markersize=24)
        if known[0]["retrained"] is not None:
            axes.plot(place, 100 * known[0]["retrained"], "s", color=_COOL)
        for one in known:
            axes.plot(place + 0.15, 100 * one["revised"], "o", color=_HOT, alpha=0.5, markersize=4)
    axes.set(ylabel="recall in %", xticks=range(len(names)), xticklabels=names, ylim=(-2, 102))
    axes.tick_params(axis="x", rotation=20)
    return figure


def _points(axes: Any, rows: Sequence[Mapping[str, Any]], x: str, y: str, *, factor: float = 1) -> None:  # noqa: ANN401 - matplotlib's axes
    for row in rows:
        if row[x] is None or row[y] is None:
            continue
        colour = _COOL if row["verdict"] == "equivalent" else _HOT if row["verdict"] == "different" else _GREY
        axes.plot(factor * row[x], factor * row[y], "o", color=colour)
        place = (factor * row[x], factor * row[y])
        axes.annotate(row["method"], place, fontsize=7, xytext=(3, 3), textcoords="offset points")


def _axes(title: str) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    return figure, axes


def _svg(figure: Figure) -> str:
    import matplotlib as mpl

    stream = io.StringIO()
    # The same document gives the same file: no date, and ids that depend on nothing but a fixed salt.
    with mpl.rc_context({"svg.hashsalt": "monai_unlearn", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
