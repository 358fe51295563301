"""A sweep as a table and as a plot."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from monai_unlearn.staging import staged_file
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HEADINGS = ("forget", "remain", "score", "share of retraining", "seconds")


def table(document: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of text: accuracies in percent, the best row marked with a star."""
    axes = list(document["axes"])
    rows = []
    for trial in document["trials"]:
        chosen = "*" if document["best"] and trial["name"] == document["best"]["name"] else ""
        rows.append([*(trial["settings"][axis] for axis in axes), *_figures(trial), chosen])
    return [*axes, *HEADINGS, ""], rows


def markdown(document: Mapping[str, Any]) -> str:
    """Return the table with a line on what it shows, as Markdown."""
    headings, rows = table(document)
    lines = [
        "# Sweep",
        "",
        f"Validation images, in percent. Score: {document['criterion']['formula']}; smaller is better, * is best.",
        "",
        f"| {' | '.join(headings)} |",
        f"|{' --- |' * len(headings)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return escaped("\n".join(lines)) + "\n"


def best_settings(document: Mapping[str, Any]) -> str | None:
    """Return the best trial's settings as options of a bundle run, or None if no trial is best."""
    chosen = document["best"]
    return " ".join(f"--{name} {value}" for name, value in chosen["settings"].items()) if chosen else None


def plot(document: Mapping[str, Any], path: Path) -> None:
    """Draw the scores as heat maps: the first axis down, the second across, one map per setting of the others."""
    from matplotlib.figure import Figure

    axes_of: Mapping[str, list[str]] = document["axes"]
    names = list(axes_of)
    down, across, others = names[0], names[1] if len(names) > 1 else "", names[2:]
    rows, columns = axes_of[down], axes_of.get(across, [""])
    panels = list(itertools.product(*(axes_of[name] for name in others)))
    scores = {tuple(trial["settings"].items()): _number(trial) for trial in document["trials"]}
    known = [score for score in scores.values() if math.isfinite(score)] or [0.0]
    figure = Figure(figsize=(2.2 + (1 + 0.9 * len(columns)) * len(panels), 1.8 + 0.7 * len(rows)), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for panel, ax in zip(panels, axes, strict=True):
        grid = [[scores[_key(names, (row, column, *panel))] for column in columns] for row in rows]
        image = ax.imshow(grid, cmap="viridis_r", vmin=min(known), vmax=max(known), aspect="auto")
        ax.set(xlabel=across, ylabel=down, xticks=range(len(columns)), yticks=range(len(rows)))
        ax.set(xticklabels=columns, yticklabels=rows)
        ax.set_title(", ".join(f"{name}={value}" for name, value in zip(others, panel, strict=True)), fontsize=9)
        _annotate(ax, grid, middle=(min(known) + max(known)) / 2)
    figure.colorbar(image, ax=list(axes), label=document["criterion"]["name"])
    with staged_file(path) as aside:
        figure.savefig(aside, format="png", dpi=120)


def _annotate(ax: Any, grid: Sequence[Sequence[float]], *, middle: float) -> None:  # noqa: ANN401 - matplotlib's axes
    for row, scores in enumerate(grid):
        for column, score in enumerate(scores):
            text = f"{score:.3f}" if math.isfinite(score) else "failed"
            colour = "white" if score > middle else "black"
            ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)


def _key(names: Sequence[str], values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple(zip(names, values, strict=False))


def _number(trial: Mapping[str, Any]) -> float:
    score = trial.get("score")
    return math.nan if score is None else float(score)


def _figures(trial: Mapping[str, Any]) -> list[str]:
    if trial["status"] != "finished":
        return [trial["status"], "", "", "", ""]
    share = trial["share_of_retraining_gradients"]
    return [
        f"{100 * trial['forget']:.1f}",
        f"{100 * trial['remain']:.1f}",
        "" if trial["score"] is None else f"{trial['score']:.4f}",
        "" if share is None else f"{share:.1%}",
        f"{trial['seconds']:.1f}",
    ]
