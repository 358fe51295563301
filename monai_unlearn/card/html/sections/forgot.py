"""Did it forget: how sure each network is of the true class of forgotten images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.plots.dots import Dot, Strip, dot_plot
from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.trace import pointer
from monai_unlearn.card.wording import estimate, share, subset_words, words
from monai_unlearn.vocabulary.parts import is_earlier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]

SHOWN = ("forget_train", "forget_test")


def view(diff: Document) -> dict[str, Any]:
    """Return the plot and its table."""
    rows = list(_rows(diff))
    declared = diff["decision"]["declared"]
    strips = [_strip(row, declared) for _, row in rows]
    return {
        "plot": dot_plot(strips, name="forgot-plot", title="Mean probability of the true class, by network")
        if rows
        else None,
        "table": _table(rows) if rows else None,
        "has_retrained": any(one["role"] == "reference" for _, row in rows for one in row["networks"]),
        "objective": declared["objective"],
        "limit": share(declared["limit"]),
        "is_shaded": any(strip.band for strip in strips),
    }


def _rows(diff: Document) -> Iterator[tuple[int, Document]]:
    for number, row in enumerate(diff["true_class"]):
        if row["subset"] in SHOWN or is_earlier(row["subset"]):
            yield number, row


def _strip(row: Document, declared: Document) -> Strip:
    kinds = {"original": "original", "revised": "revised", "reference": "retrained"}
    retrained, dots = 0, []
    for one in row["networks"]:
        retrained += one["role"] == "reference"
        name = f"retrained {retrained}" if one["role"] == "reference" else one["role"]
        dots.append(Dot(kind=kinds[one["role"]], name=name, value=one["value"], interval=one["interval"]))
    note = f"{subset_words(row['subset'])}; {row['patients']} patients"
    return Strip(heading=words(row["class"]), note=note, dots=dots, band=_band(row, declared))


def _band(row: Document, declared: Document) -> tuple[float, float] | None:
    if declared["objective"] == "erase":
        return None if declared["limit"] is None else (0.0, declared["limit"])
    if row["target"] is None:
        return None
    return max(row["target"] - row["margin"], 0.0), min(row["target"] + row["margin"], 1.0)


def _table(rows: list[tuple[int, Document]]) -> Table:
    names = [one["network"] for one in rows[0][1]["networks"]]
    retrained = iter(range(1, len(names)))
    shown = [f"retrained {next(retrained)}" if name.startswith("reference") else name for name in names]
    return Table(
        caption="Mean probability of the true class with 95 % intervals over patients",
        headings=("class", "images", "patients", *shown, "target", "margin in points"),
        rows=[_cells(number, row) for number, row in rows],
        texts=2,
    )


def _cells(number: int, row: Document) -> list[Cell]:
    def at(*names: object) -> str:
        return pointer("true_class", number, *names)

    margin = "–" if row["margin"] is None else f"{100 * row['margin']:g}"
    return cells(
        words(row["class"]),
        subset_words(row["subset"]),
        Cell(f"{row['patients']:,}", at("patients")),
        *(Cell(estimate(one), at("networks", place, "value")) for place, one in enumerate(row["networks"])),
        Cell(share(row["target"]), at("target")),
        Cell(margin, at("margin")),
    )


FORGOT = Section(name="forgot", title="Did it forget?", view=view)
