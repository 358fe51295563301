"""A comparison as CSV, JSON, Markdown and HTML, with its plots."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.experiments.comparison_plots import KINDS, plots
from monai_unlearn.experiments.comparison_row import COLUMNS, flat
from monai_unlearn.staging import write_json, write_text
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEADINGS = {
    "method": "method",
    "verdict": "verdict",
    "distance_ratio": "distance ratio, equally sure",
    "distance_ratio_raw": "raw",
    "recall_gap_forget_test": "recall gap, forget test",
    "recall_gap_remain_test": "recall gap, remain test",
    "agreement": "agreement",
    "membership_auc": "membership AUC",
    "probe": "probe",
    "relearning": "relearning",
    "remain_gap": "remain gap",
    "share_of_retraining": "share of retraining",
    "share_with_references": "with references",
    "share_of_all_runs": "all runs of the row",
    "seconds": "seconds",
    "trials": "settings tried",
    "runs": "runs",
    "settings": "settings",
}
SHOWN = {
    "method": "method",
    "verdict": "verdict",
    "distance_ratio": "distance\nratio",
    "recall_gap_forget_test": "recall\ngap",
    "remain_gap": "remain\ngap",
    "share_of_retraining": "share of\nretraining",
}
"""The columns for a terminal, with their headings."""
EXPLAINED = (
    "Measures are of the setting that was best on validation images, on test images; but membership and relearning are "
    "about forget training images, and the probe is on all forget images never trained on. The distance ratio is the "
    "KL divergence of the retrained networks from the revised one, over theirs among themselves: 1 is as near as they "
    "are to each other; equally sure means after one temperature. Gaps are to the retrained networks' mean. Relearning "
    "compares the steps that bring the cohort back: 1 is as many as they take. Membership AUC decides nothing alone. "
    "Costs are shares of the gradients of one retraining: those of the run, with the retrained networks that it is "
    "compared with, and those of all runs of the row, trials and repeats; seconds are those of the run."
)


def write_report(document: Mapping[str, Any], out: Path) -> None:
    """Write `compare.json`, `compare.csv`, `compare.md`, `compare.html` and the plots into a folder.

    Plots of earlier calls that no row stands for any longer are removed.
    """
    write_json(out / "compare.json", dict(document))
    write_text(out / "compare.csv", as_csv(document))
    drawn = plots(document)
    for name, text in drawn.items():
        write_text(out / name, text)
    for stale in (path for kind in KINDS for path in out.glob(f"{kind}-*.svg") if path.name not in drawn):
        stale.unlink()
    write_text(out / "compare.md", markdown(document, sorted(drawn)))
    write_text(out / "compare.html", html(document, drawn))


def as_csv(document: Mapping[str, Any]) -> str:
    """Return the rows as CSV, a column for each measure."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat(row) for row in document["rows"])
    return stream.getvalue()


def table(document: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of text for a page; a row that failed says why in place of its measures."""
    headings = ["cohort", "budget", *HEADINGS.values()]
    return headings, [_cells(row) for row in document["rows"]]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A table for a terminal of 80 columns: what is looked at first; all else is in the files.

    Attributes:
        title: Cohort and budget.
        rows: A cell of text for each of `SHOWN`, by method.
        failed: The reasons of methods that failed.
    """

    title: str
    rows: list[list[str]]
    failed: list[str]


def tables(document: Mapping[str, Any]) -> list[Shown]:
    """Return a table for each cohort and budget."""
    return [
        Shown(
            title=f"{cohort}, {100 * budget:g}% of retraining's gradients",
            rows=[[_shown(row, name) for name in SHOWN] for row in rows],
            failed=[f"{row['method']}: {row['why']}" for row in rows if row["status"] != "finished"],
        )
        for (cohort, budget), rows in _grouped(document).items()
    ]


def _shown(row: Mapping[str, Any], name: str) -> str:
    if name == "verdict" and row["status"] != "finished":
        return "failed"
    value = row.get(name)
    if isinstance(value, dict):
        value = value["value"]
    if not isinstance(value, float):
        return "" if value is None else str(value)
    return f"{value:.2f}" if name == "distance_ratio" else f"{value:.1%}"


def markdown(document: Mapping[str, Any], drawn: list[str]) -> str:
    """Return a table for each cohort and budget, and links to the plots."""
    lines = ["# Comparison of methods", "", _said(document), ""]
    for (cohort, budget), rows in _grouped(document).items():
        lines += [f"## {cohort}, {100 * budget:g}% of retraining's gradients", ""]
        headings = list(HEADINGS.values())
        lines += [f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
        lines += [f"| {' | '.join(cell.replace('|', '/') for cell in _cells(row)[2:])} |" for row in rows]
        lines.append("")
    lines += [f"![{name.removesuffix('.svg').replace('-', ' ')}]({name})" for name in drawn]
    return escaped("\n".join(lines)) + "\n"


def html(document: Mapping[str, Any], drawn: Mapping[str, str]) -> str:
    """Return the same as one page that needs no other file."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("monai_unlearn.experiments", "."), autoescape=True, trim_blocks=True
    )
    groups = [
        (cohort, f"{100 * budget:g}%", [_cells(row)[2:] for row in rows])
        for (cohort, budget), rows in _grouped(document).items()
    ]
    # The plots are SVG that matplotlib wrote a moment ago; their texts are escaped by it.
    images = {name: text[text.index("<svg") :] for name, text in drawn.items()}
    page = environment.get_template("comparison.html.jinja")
    return page.render(said=_said(document), headings=list(HEADINGS.values()), groups=groups, images=images)


def _said(document: Mapping[str, Any]) -> str:
    repeats = document.get("repeats", 1)
    means = f" The chosen setting ran {repeats} times, under a seed each: figures are means." if repeats > 1 else ""
    return (
        f"{document['seeds']} retrained networks for each cohort, shared by all methods; up to {document['trials']} "
        f"settings tried of each, as its record lists, chosen by: {document['criterion']}.{means} {EXPLAINED}"
    )


def _grouped(document: Mapping[str, Any]) -> dict[tuple[str, float], list[Mapping[str, Any]]]:
    found: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in document["rows"]:
        found.setdefault((row["cohort"], row["budget"]), []).append(row)
    return found


def _cells(row: Mapping[str, Any]) -> list[str]:
    text = flat(row)
    if row["status"] != "finished":
        return [text["cohort"], text["budget"], text["method"], f"failed: {row['why']}", *[""] * (len(HEADINGS) - 2)]
    return [text["cohort"], text["budget"], *(_cell(row, name, text[name]) for name in HEADINGS)]


def _cell(row: Mapping[str, Any], name: str, text: str) -> str:
    """Return a cell for people: of several runs, with the lowest and the highest, and how many had the verdict."""
    value = row.get(name)
    if name == "remain_gap":
        value = {"runs": row.get("runs_of", {}).get(name, ())}
    if name == "verdict" and len(set(verdicts := row.get("verdicts", ()))) > 1:
        return f"{text} ({verdicts.count(text)} of {len(verdicts)})"
    if not (isinstance(value, dict) and (runs := [one for one in value.get("runs", ()) if one is not None])):
        return text
    between = " to " if min(runs) < 0 else "–"
    return f"{text} ({min(runs):.3g}{between}{max(runs):.3g})"
