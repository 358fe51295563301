"""Criteria declared before the run, with what was found; and what was not declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.trace import pointer
from monai_unlearn.card.wording import QUIET, judged, measure, points, share, target, title, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Document = Mapping[str, Any]


MOVED = "mean_probability"
"""The range that people read: how far the mean probability of the true class moved."""


def view(diff: Document) -> dict[str, Any]:
    """Return what was declared and judged."""
    decision = diff["decision"]
    rows = list(enumerate(decision["endpoints"]))
    guards = [(number, row) for number, row in rows if row["guard"]]
    objecting = [(number, row) for number, row in guards if row["status"] not in QUIET]
    return {
        "decision": decision,
        "declared": _declared(decision["declared"]["endpoints"]),
        "judged": _judged([one for one in rows if not one[1]["guard"]], "Judged: each class and each probability"),
        "guards": len(guards),
        "objecting": _judged(objecting, "Guards that object") if objecting else None,
        "target": target(decision, diff["basis"]),
        "undeclared": [title(name) for name in diff["metric_info"]],
        "ranges": _ranges(decision["protocol"]),
        "others": [row["inside"] for row in (decision["protocol"] or {}).get("ranges", ()) if row["what"] != MOVED],
        "errors": _errors(decision["predictor"]),
    }


def _declared(endpoints: Iterable[Document]) -> Table:
    rows = [
        cells(
            words(row["subset"]),
            words(row["class"]),
            words(row["measure"]),
            Cell(f"{100 * row['margin']:g}", pointer("decision", "declared", "endpoints", number, "margin")),
            Cell(f"{row['min_patients']:,}", pointer("decision", "declared", "endpoints", number, "min_patients")),
        )
        for number, row in enumerate(endpoints)
    ]
    headings = ("images", "class", "measure", "margin in points", "patients at least")
    return Table(caption="Declared: images, measures and margins", headings=headings, rows=rows, texts=3)


def _judged(rows: Iterable[tuple[int, Document]], caption: str) -> Table:
    headings = (
        "images",
        "class",
        "measure",
        "revised",
        "target",
        "difference (90 % interval)",
        "margin",
        "patients",
        "seed SD",
        "found",
    )
    found = [
        cells(
            words(row["subset"]),
            words(row["class"]),
            words(measure(row)),
            Cell(share(row["revised"]), pointer("decision", "endpoints", number, "revised")),
            Cell(share(row["target"]), pointer("decision", "endpoints", number, "target")),
            Cell(judged(row), pointer("decision", "endpoints", number, "d")),
            Cell(f"{100 * row['margin']:g}", pointer("decision", "endpoints", number, "margin")),
            Cell(f"{row['G']:,}", pointer("decision", "endpoints", number, "G")),
            Cell(points(row["s_R"]), pointer("decision", "endpoints", number, "s_R")),
            words(row["status"]),
        )
        for number, row in rows
    ]
    return Table(caption=caption, headings=headings, rows=found, texts=3, tail=1)


def _ranges(protocol: Document | None) -> Table | None:
    """Return how far each class of the forget part moved, beside the rehearsal."""
    if protocol is None or not protocol["ranges"]:
        return None
    rows = []
    for number, row in enumerate(protocol["ranges"]):
        if row["what"] != MOVED:
            continue
        rehearsed = "–" if row["low"] is None else f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}"
        moved = "–" if row["change"] is None else f"{100 * row['change']:+.1f}"
        key = pointer("decision", "protocol", "ranges", number, "change")
        where = (words(row["subset"]), words(row["class"]))
        rows.append(cells(*where, f"{row['G']:,}", Cell(moved, key), rehearsed, "yes" if row["inside"] else "no"))
    headings = ("images", "class", "patients", "moved, in points", "in the rehearsal", "inside")
    return Table(
        caption="How far the forgotten images moved, beside the rehearsal",
        headings=headings,
        rows=rows,
        texts=2,
        tail=1,
    )


def _errors(predictor: Document | None) -> Table | None:
    """Return the measured error of what was predicted in place of retrained networks."""
    if predictor is None or not predictor["errors"]:
        return None
    rows = [
        cells(
            words(row["subset"]),
            words(row["class"]),
            Cell(points(row["error"]), pointer("decision", "predictor", "errors", number, "error")),
        )
        for number, row in enumerate(predictor["errors"])
    ]
    caption = f"The measured error of {predictor['name']}, in points, the largest over its rehearsal cohorts"
    return Table(caption=caption, headings=("images", "class", "error"), rows=rows, texts=2)


CRITERIA = Section(name="criteria", title="What was declared before the run", view=view)
