"""Limits, and what is undecided, with the number that would decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.audits import audits_not_measured
from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.trace import pointer
from monai_unlearn.card.wording import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Document = Mapping[str, Any]


def view(diff: Document) -> dict[str, Any]:
    """Return what a reader must not conclude."""
    notes = [note for note in diff["decision"]["notes"] if note not in diff["decision"]["line"]]
    return {
        "needs": _needs(diff["needs"]) if diff["needs"] else None,
        "why": diff["why"],
        "warnings": [*notes, *diff["warnings"]],
        "not_measured": audits_not_measured(diff["audits"]),
        "left_out": sum(diff["subgroups"]["left_out"].values()),
        "not_finite": sum(diff["subgroups"]["not_finite"].values()),
        "intended_use": diff["bundle"].get("intended_use"),
        "basis": diff["basis"],
    }


def _needs(needs: Sequence[Document]) -> Table:
    rows = [
        cells(
            one["text"],
            words(one["what"]),
            Cell("–" if one["has"] is None else f"{one['has']:,}", pointer("needs", number, "has")),
            Cell("–" if one["needs"] is None else f"{one['needs']:,}", pointer("needs", number, "needs")),
        )
        for number, one in enumerate(needs)
    ]
    return Table(caption="What would decide", headings=("what", "of", "there are", "needed"), rows=rows, texts=2)


LIMITS = Section(name="limits", title="Limits, and what is undecided", view=view)
