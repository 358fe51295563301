"""A cohort's counts as tables for people; the same content as `Cohort.preview()`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


def show(preview: Mapping[str, Any], console: Console) -> None:
    """Print what a spec catches: parts, rule by rule, class by class, and what to look at twice.

    Args:
        preview: `Cohort.preview()`.
        console: Where to print.
    """
    console.print(Text(f"Cohort {preview['name']} ({preview['reason']})", style="bold"))
    console.print(_parts(preview))
    console.print(_attrition(preview["attrition"]))
    if preview["classes"]:
        console.print(_classes(preview["classes"]))
    for warning in preview["warnings"]:
        console.print(Text(f"Note: {warning}", style="yellow"))


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    # A rule may hold words that look like a console's markup: text is never read as such.
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _parts(preview: Mapping[str, Any]) -> Table:
    table = _table("Parts", "part", "images", "patients")
    for part, images in preview["images"].items():
        table.add_row(part, f"{images:,}", f"{preview['patients'][part]:,}")
    return table


def _attrition(rows: list[dict[str, Any]]) -> Table:
    table = _table("From the index to the forget part", "rule", "images in", "images out", "patients out")
    for row in rows:
        counts = (f"{row[key]:,}" for key in ("images_in", "images_out", "patients_out"))
        table.add_row(Text(row["rule"]), *counts)
    return table


def _classes(classes: Mapping[str, Mapping[str, int]]) -> Table:
    table = _table("Classes", "class", "forget", "remain", "undetermined")
    for name, counts in classes.items():
        table.add_row(Text(name), *(f"{count:,}" for count in counts.values()))
    return table
