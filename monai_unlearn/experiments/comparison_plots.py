"""The plots of a comparison, as SVG: gaps to retrained networks, distance against cost, recall by class."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

KINDS = ("gaps", "distance", "classes")
_HOT, _COOL, _GREY = "#b3423a", "#2a7f62", "#9aa0a6"
_VERDICTS = {"equivalent": _COOL, "different": _HOT}
_OTHER = "any other"
# Colours that those who see no red or no green tell apart (Okabe and Ito 2008), each with several markers.
_COLOURS = ("#0072b2", "#d55e00", "#e69f00", "#56b4e9", "#cc79a7", "#000000")
_MARKERS = ("o", "^", "v", "D", "X")


def plots(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the plots by file name: three for each cohort and budget with a row that finished."""
    found: dict[str, str] = {}
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in document["rows"]:
        if row["status"] == "finished":
            groups.setdefault((row["cohort"], row["budget"]), []).append(row)
    for (cohort, budget), rows in groups.items():
        name = f"{re.sub('[^a-zA-Z0-9_-]', '_', cohort)}-{100 * budget:g}"
        title = f"{cohort}, {100 * budget:g} %"
        found[f"gaps-{name}.svg"] = _svg(_gaps(rows, title=title))
        found[f"distance-{name}.svg"] = _svg(_distance(rows, title=title))
        found[f"classes-{name}.svg"] = _svg(_classes(rows, title=f"{title}, forget test"))
    return found


def _gaps(rows: Sequence[Mapping[str, Any]], *, title: str) -> Figure:
    figure, axes = _axes(title)
    for forget, remain in rows[0]["retrained_gaps"]:
        axes.plot(
            100 * forget, 100 * remain, "s", color=_COOL, alpha=0.6, label="retrained networks, and what they span"
        )
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
    return _with_legend(figure)


def _distance(rows: Sequence[Mapping[str, Any]], *, title: str) -> Figure:
    figure, axes = _axes(title)
    shown = [
        {**row, "distance": row["distance_ratio"]["value"]}
        for row in rows
        if row["distance_ratio"] and row["distance_ratio"]["value"]
    ]
    axes.axhline(1.0, color=_COOL, linestyle="--", label="as near as retrained networks are to each other")
    _points(axes, shown, "share_of_retraining", "distance")
    axes.set(xlabel="share of retraining's gradients", ylabel="distance ratio (forget test, equally sure)")
    if shown:
        # From 0 on: methods that keep to the same budget would lie far apart in a plot of their differences.
        axes.set_xlim(0, 1.2 * max(row["share_of_retraining"] for row in shown))
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    return _with_legend(figure)


def _classes(rows: Sequence[Mapping[str, Any]], *, title: str) -> Figure:
    figure, axes = _axes(title)
    names = sorted({name for row in rows for name in row["classes"]})
    for place, name in enumerate(names):
        known = [row["classes"][name] for row in rows if name in row["classes"]]
        axes.plot(place, 100 * known[0]["original"], "_", color=_GREY, markersize=24, label="original")
        if known[0]["retrained"] is not None:
            axes.plot(place, 100 * known[0]["retrained"], "s", color=_COOL, label="retrained, mean")
        for number, row in enumerate(rows):
            if name in row["classes"]:
                at = place + 0.15 + 0.5 * number / max(len(rows), 5)
                axes.plot(at, 100 * row["classes"][name]["revised"], label=row["method"], **_mark(number))
    axes.set(ylabel="recall in %", xticks=range(len(names)), xticklabels=names, ylim=(-2, 102))
    axes.tick_params(axis="x", rotation=20)
    return _with_legend(figure, beside=True)


def _mark(number: int) -> dict[str, Any]:
    """Return how the points of a method look: no two of thirty alike."""
    colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number // len(_COLOURS) % len(_MARKERS)]
    return {"linestyle": "", "color": colour, "marker": marker, "markersize": 4}


def _with_legend(figure: Figure, *, beside: bool = False) -> Figure:
    """Add a legend outside the axes, below or beside them, which names each thing once."""
    named = dict(zip(*figure.axes[0].get_legend_handles_labels()[::-1], strict=True))
    handles, looks = [*named.values()], {"fontsize": 7, "frameon": False}
    if beside:
        figure.legend(handles, [*named], loc="outside right upper", **looks)
    elif named:
        figure.legend(handles, [*named], loc="outside lower center", ncols=len(named), **looks)
    return figure


def _points(axes: Any, rows: Sequence[Mapping[str, Any]], x: str, y: str, *, factor: float = 1) -> None:  # noqa: ANN401 - matplotlib's axes
    for row in rows:
        if row[x] is None or row[y] is None:
            continue
        verdict = row["verdict"] if row["verdict"] in _VERDICTS else _OTHER
        colour = _VERDICTS.get(row["verdict"], _GREY)
        axes.plot(factor * row[x], factor * row[y], "o", color=colour, label=f"verdict: {verdict.replace('_', ' ')}")
        place = (factor * row[x], factor * row[y])
        axes.annotate(row["method"], place, fontsize=7, xytext=(3, 3), textcoords="offset points")


def _axes(title: str) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
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
