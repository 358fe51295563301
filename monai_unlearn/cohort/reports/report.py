"""Print the results of cohort commands as tables for people, with the same content as their JSON documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from monai_unlearn.cohort.reports.places import OUTSIDE
from monai_unlearn.cohort.reports.spellings_report import show_spellings
from monai_unlearn.cohort.resolve.notes import words_of_notes
from monai_unlearn.cohort.resolve.value_list_words import value_list_words
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console

_SIDES = ("a", "b")


def show(preview: Mapping[str, Any], console: Console) -> None:
    """Print what a spec selects: the parts, the attrition, the classes and the warnings.

    Args:
        preview: `Cohort.preview()`, or what `suppress_preview` returns.
        console: Where to print.
    """
    console.print(Text(f"Cohort {preview['name']} ({preview['reason']})", style="bold"))
    console.print(_parts(preview))
    console.print(_attrition(preview["attrition"]))
    if preview["classes"]:
        console.print(_crossed("Images by class", "class", preview["classes"]))
    if preview.get("strata") and not preview.get("suppressed_below"):
        console.print(_strata(preview["strata"]))
    for entry in preview["value_lists"]:
        style = "" if entry["matched"] == entry["values"] else "yellow"
        console.print(Text(value_list_words(entry), style=style))
    show_spellings(preview, console)
    _notes(console, preview["warnings"])
    _notes(console, words_of_notes(preview["notes"]))
    _suppressed(console, preview)


def show_comparison(comparison: Mapping[str, Any], console: Console) -> None:
    """Print which images change their part between two specs, and which differences in the specs cause it.

    Args:
        comparison: `compare(…)`, or what `suppress_comparison` returns.
        console: Where to print.
    """
    console.print(Text(_verdict(comparison["moved"]), style="bold"))
    for side in _SIDES:
        console.print(Text(f"{side.upper()}: {comparison[side]['spec']} ({comparison[side]['name']})"), soft_wrap=True)
    for unit in ("images", "patients") if comparison["patients"] else ("images",):
        console.print(_moves(f"{unit.capitalize()}: where they are by A, and by B", comparison[unit]))
    _changes(console, comparison)
    for side in _SIDES:
        if comparison[side]["refused"]:
            _notes(console, [f"The guards refuse {side.upper()}:\n{comparison[side]['refused']}"])
    _suppressed(console, comparison)
    for group in comparison.get("image_ids", ()):
        _images(console, f"From {group['from']} to {group['to']}", group["image_ids"])


def show_recheck(recheck: Mapping[str, Any], console: Console) -> None:
    """Print whether a frozen cohort holds, and what has changed.

    Args:
        recheck: `recheck(…)`.
        console: Where to print.
    """
    verdict, style = ("holds", "bold green") if recheck["holds"] else ("no longer holds", "bold red")
    console.print(Text(f"The frozen cohort {recheck['name']} {verdict}.", style=style))
    console.print(_crossed("Images by part", "part", recheck["parts"]))
    came_from = {row: cells for row, cells in recheck["moves"].items() if any(cells.values())}
    if not recheck["holds"]:
        rows = {f"was: {row}": cells for row, cells in came_from.items()}
        console.print(_crossed("Images: where they were, and where they are", "", rows))
    _notes(console, [finding["text"] for finding in recheck["findings"]])
    if recheck["refused"]:
        console.print(Text(recheck["refused"]))
    for part, ids in recheck.get("image_ids", {}).items():
        _images(console, f"Joined the {part} part", ids["joined"])
        _images(console, f"Left the {part} part", ids["left"])


def _verdict(moved: Mapping[str, Any]) -> str:
    if not moved["images"]:
        return "No image moves."
    if moved["patients"] is None:
        return f"{counted(moved['images'], 'image moves', 'images move')}."
    images, patients = ("some" if moved[unit] == "hidden" else moved[unit] for unit in ("images", "patients"))
    move = "moves" if images == 1 else "move"
    return f"{counted(images, 'image')} of {counted(patients, 'patient')} {move}.".capitalize()


def _table(title: str, first: str, numbers: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    # A rule may contain what looks like the console's markup: Text() never interprets it.
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True, vertical="bottom")
    return table


def _count(count: int | str) -> str:
    """Return a count with thousands separators, or the text that is shown instead of it."""
    return count if isinstance(count, str) else f"{count:,}"


def _parts(preview: Mapping[str, Any]) -> Table:
    table = _table("Parts", "part", ("images", "patients"))
    for part, images in preview["images"].items():
        table.add_row(part, _count(images), _count(preview["patients"][part]))
    return table


def _attrition(rows: list[dict[str, Any]]) -> Table:
    columns = {
        "images\nin": "images_in",
        "images\nunknown": "images_unknown",
        "images\nout": "images_out",
        "patients\nout": "patients_out",
    }
    table = _table("From the index to the forget part", "rule", columns)
    for row in rows:
        table.add_row(Text(row["rule"]), *(_count(row[key]) for key in columns.values()))
    return table


def _crossed(title: str, first: str, rows: Mapping[str, Mapping[str, int | str]]) -> Table:
    """Return a table of counts from a mapping of mappings."""
    table = _table(title, first, next(iter(rows.values()), {}))
    for name, counts in rows.items():
        table.add_row(Text(name), *map(_count, counts.values()))
    return table


def _moves(title: str, rows: Mapping[str, Mapping[str, int | str]]) -> Table:
    """Return a table of where units are by A (rows) and by B (columns); those that do not move are dim."""
    used = [name for name in rows if name != OUTSIDE or any(rows[name].values()) or any(c[name] for c in rows.values())]
    table = _table(title, "", [f"B:\n{name}" for name in used])
    for name in used:
        cells = (Text(_count(rows[name][other]), style="dim" if name == other else "") for other in used)
        table.add_row(f"A: {name}", *cells)
    return table


def _strata(strata: Mapping[str, Any]) -> Text:
    least, largest = (f"{strata[key]:.1%}" for key in ("least_share", "largest_share"))
    count = counted(strata["count"], "stratum", "strata")
    return Text(
        f"The sample drew {least} to {largest} of each of {count}, and nothing from {strata['empty']:,} of them."
    )


def _changes(console: Console, comparison: Mapping[str, Any]) -> None:
    """Print the differences between the specs: key by key, and `forget` rule by rule."""
    if not comparison["changes"]:
        console.print(Text("The specs are equal."))
        return
    changes = [change for change in comparison["changes"] if change["key"] != "forget"]
    if changes:
        console.print(_keys(changes))
    rules = comparison["rules"]
    for name, title in (("both", "both specs"), ("only_a", "A only"), ("only_b", "B only")):
        if rules[name]:
            console.print(Text(f"Rules of {title}:", style="bold"))
            for rule in rules[name]:
                console.print(Padding(Text(rule), (0, 0, 0, 2)))
    if len(changes) < len(comparison["changes"]) and rules["only_a"] == rules["only_b"]:
        _notes(console, ["the rules differ in values that are not shown."])


def _keys(changes: list[dict[str, Any]]) -> Table:
    table = Table(title="Differences between the specs", title_justify="left", title_style="bold")
    table.add_column("key", overflow="fold")
    for side in _SIDES:
        table.add_column(side.upper(), overflow="fold", ratio=1)
    for change in changes:
        hidden = " (in values that are not shown)" if change["values_hidden"] else ""
        table.add_row(Text(change["key"] + hidden), *(_said(change[side]) for side in _SIDES))
    return table


def _said(value: object) -> Text:
    if value is None:
        return Text("(not given)", style="dim")
    return Text(str(value).lower() if isinstance(value, bool) else str(value))


def _images(console: Console, title: str, image_ids: list[str]) -> None:
    """Print identifiers, one per line and never wrapped, so that they can be copied."""
    if image_ids:
        console.print(Text(f"{title}: {counted(len(image_ids), 'image')}", style="bold"))
        console.print(Text("\n".join(image_ids)), soft_wrap=True)


def _notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(Text(f"Note: {note}", style="yellow"))


def _suppressed(console: Console, document: Mapping[str, Any]) -> None:
    if below := document.get("suppressed_below"):
        text = f"Counts from 1 to {below - 1} are shown as <{below}; 'hidden' counts would give one of those away."
        console.print(Text(text, style="dim"))
