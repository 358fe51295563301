"""What earlier revisions of this bundle forgot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.trace import pointer
from monai_unlearn.card.wording import words

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADINGS = ("version", "date", "cohort", "reason", "verdict", "images", "patients")


def view(diff: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for each revision, the first one first."""
    rows = [
        cells(
            f"{one['base_version']} → {one['version']}",
            one["date"],
            one["cohort"],
            words(one["reason"]),
            words(one["verdict"] or "–"),
            *(
                Cell(f"{one[what]['forget']:,}", pointer("earlier", number, what, "forget"))
                for what in ("images", "patients")
            ),
        )
        for number, one in enumerate(diff["earlier"])
    ]
    return {
        "table": Table(caption="Earlier revisions, the first one first", headings=HEADINGS, rows=rows, texts=5)
        if rows
        else None
    }


EARLIER = Section(name="earlier", title="Earlier revisions", view=view)
