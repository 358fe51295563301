"""The appendix: every figure before and after, the settings, and the card's own JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.trace import metric_pointer
from monai_unlearn.card.wording import difference, estimate, title, words
from monai_unlearn.terminal import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    Document = Mapping[str, Any]

HEADINGS = ("metric", "part", "split", "class", "n", "before", "after", "recalibrated", "reference", "change")


def view(diff: Document) -> dict[str, Any]:
    """Return the whole table, the settings of the method, and the document."""
    return {
        "table": Table(
            caption="Every figure, before and after",
            headings=HEADINGS,
            rows=[_cells(diff, row) for row in diff["metrics"]],
            texts=4,
        ),
        "descriptions": {title(name): one["description"] for name, one in diff["metric_info"].items()},
        "method": diff["modification"]["method"],
        "settings": json_text(diff["modification"]["method"]["settings"]),
        "seed": diff["modification"]["seed"],
        "json": json_text(diff, indent=None),
    }


def _cells(diff: Document, row: Document) -> list[Cell]:
    percent = diff["metric_info"][row["metric"]]["percent"]
    reference = row["retrained"][0]["network"] if row["retrained"] else None
    return cells(
        title(row["metric"]),
        row["part"],
        row["split"],
        words(row["class"]),
        Cell(f"{row['n']:,}", metric_pointer(row, "n")),
        *(
            Cell(estimate(row[name], percent=percent), metric_pointer(row, name))
            for name in ("before", "after", "after_recalibrated")
        ),
        Cell(
            estimate(row["reference"], percent=percent),
            reference and metric_pointer(row, "retrained", network=reference),
        ),
        Cell(difference(row["change"], percent=percent), metric_pointer(row, "change")),
    )


APPENDIX = Section(name="appendix", title="Appendix: every figure, settings, JSON", view=view)
