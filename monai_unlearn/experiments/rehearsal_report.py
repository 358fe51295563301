"""A rehearsal as tables and as a plot."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from monai_unlearn.staging import staged_file
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PLOT = "rehearse.png"
HEADINGS = ("method", "settings", "objective", "equivalent", "bound of failure", "share of retraining", "")
_KINDS = {
    "given": "given",
    "another_value": "another value",
    "patients_of_a_value": "patients of a value",
    "other_patients": "other patients",
}
_COLOURS = {
    "equivalent": "#2a7f62",
    "inconclusive": "#d9a441",
    "target_undetermined": "#9aa0a6",
    "different": "#b3423a",
}

_HOW = (
    "; smaller is better. The cohorts that chose are not counted. The bound is one-sided, of Clopper and Pearson; "
    "whatever is not equivalent is a failure."
)


def table(document: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of text, one row a method, the chosen one marked with a star."""
    rows = []
    for one in document["methods"]:
        share = one["share_of_retraining_gradients"]
        rows.append(
            [
                one["name"],
                ", ".join(f"{key.rpartition('::')[2]} {value}" for key, value in one["settings"].items()),
                "" if one["objective"] is None else f"{one['objective']:.4f}",
                f"{one['equivalent']} of {one['cohorts']}",
                f"{100 * one['bound']:.0f} %",
                "" if share is None else f"{share:.1%}",
                "*" if one["chosen"] else "",
            ]
        )
    return list(HEADINGS), rows


def deep_table(deep: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of KLoM by subset: before forgetting, after it, and what chance gives."""
    rows = []
    for one in deep["klom"]:
        found = [f"{one[f'{of}mean']:.2f} ({one[f'{of}percentile_95']:.2f})" for of in ("original_", "", "floor_")]
        rows.append([one["subset"].replace("_", " "), str(one["images"]), *found])
    return ["KLoM on", "images", "before", "revised", "floor"], rows


def markdown(document: Mapping[str, Any]) -> str:
    """Return the tables of methods and of cohorts, as Markdown."""
    headings, rows = table(document)
    names = [one["name"] for one in document["methods"]]
    lines = [
        "# Rehearsal",
        "",
        f"**{document['line']}** by {document['chosen']}, the method of the protocol.",
        "",
        f"Settings and method (*) were chosen by {document['criterion']}{_HOW}",
        "",
        *_lines(headings, rows),
        "",
        *_lines(
            ["cohort", "what it is", "patients", "images", *names],
            [_cohort(one, document["methods"]) for one in document["cohorts"]],
        ),
        "",
        *[f"- {one['name']}, {cohort}: {why}" for one in document["methods"] for cohort, why in one["why"].items()],
        *(_deep(document["deep"]) if "deep" in document else []),
    ]
    return escaped("\n".join([*lines, "", f"![Verdicts and objectives]({PLOT})"]).rstrip()) + "\n"


def plot(document: Mapping[str, Any], path: Path) -> None:
    """Draw the verdicts on the counted cohorts, and beside them the objectives of all settings that were tried."""
    from matplotlib.figure import Figure

    methods = document["methods"]
    names = [one["name"] for one in methods]
    figure = Figure(figsize=(8.5, 1.6 + 0.6 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    starts = [0] * len(names)
    counts = [Counter(one["verdicts"].values()) for one in methods]
    for verdict in sorted({name for found in counts for name in found}, key=lambda name: (name != "equivalent", name)):
        widths = [found[verdict] for found in counts]
        left.barh(names, widths, left=starts, label=verdict.replace("_", " "), color=_COLOURS.get(verdict, "#555555"))
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
    left.set(xlabel="counted cohorts")
    left.invert_yaxis()
    left.legend(fontsize=8, loc="lower right")
    for one in methods:
        values = [tried["objective"] for tried in one["tried"] if tried["objective"] is not None]
        right.plot(values, [one["name"]] * len(values), "o", color="#9aa0a6")
        if one["objective"] is not None:
            right.plot([one["objective"]], [one["name"]], "o", color="#2a7f62")
    right.set(xlabel="objective of each setting tried (chosen: green)")
    with staged_file(path) as aside:
        figure.savefig(aside, format="png", dpi=120)


def _deep(deep: Mapping[str, Any]) -> list[str]:
    small = ", ".join(f"{name} {value}" for name, value in deep["small"].items()) or "none"
    said = (
        f"KLoM in nats, mean over images and in brackets the 95th percentile: {deep['networks']} networks that forgot "
        f"{deep['cohort']} by {deep['method']}, against as many that were trained without it. The floor compares one "
        f"half of the latter with the other. Settings that make these networks small: {small}."
    )
    return ["", said, "", *_lines(*deep_table(deep))]


def _cohort(one: Mapping[str, Any], methods: list[Mapping[str, Any]]) -> list[str]:
    verdicts = [found["verdicts"].get(one["name"], "chose settings").replace("_", " ") for found in methods]
    return [one["name"], _KINDS[one["kind"]], str(one["patients"]), str(one["images"]), *verdicts]


def _lines(headings: list[str], rows: list[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(headings)} |",
        f"|{' --- |' * len(headings)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
