"""Print what `validate` and `explain` return, for people: in words, field by field, and in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from monai_unlearn.cohort.language.english import Sentence
from monai_unlearn.cohort.reports.spellings_report import show_spellings
from monai_unlearn.cohort.resolve.notes import words_of_notes
from monai_unlearn.cohort.resolve.value_list_words import value_list_words
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console


def show_validation(found: Mapping[str, Any], console: Console) -> None:
    """Print what is known about a spec without an index."""
    console.print(Text(f"{found['name']}: a valid spec ({found['reason']})", style="bold"))
    for rule in found["rules"]:
        console.print(Text(f"  forget if {rule}" if rule == found["rules"][0] else f"  and if    {rule}"))
    for note in found["notes"]:
        console.print(Text(f"Note: {note}", style="yellow"))
    console.print(Text(found["digest"], style="dim"))


def show_explanation(found: Mapping[str, Any], console: Console) -> None:
    """Print a spec in words, and with an index its fields and its SQL statement."""
    console.print(Text(f"Cohort {found['name']} ({found['reason']})", style="bold"))
    if found["population"]:
        _heading(console, "The cohort is about the images for which this holds; the others belong to no part:")
        _print(console, _sentence(found["population"]))
    _heading(
        console, "An image is forgotten if " + ("all of this holds:" if len(found["rules"]) > 1 else "this holds:")
    )
    for number, rule in enumerate(found["rules"], start=1):
        _print(console, _sentence(rule["words"]), prefix=f"{number}. ")
        console.print(Padding(Text(rule["text"], style="dim"), (0, 0, 0, 5)))
    for name, columns in found["names"].items():
        console.print(Padding(Text(f"({name} is the DICOM tag {', or else '.join(columns)})"), (0, 0, 0, 5)))
    _heading(console, "Then:")
    for line in found["then"]:
        _item(console, line)
    for line in _lists(found):
        _item(console, line)
    console.print()
    show_spellings(found, console)
    if found["fields"] is not None:
        _show_index(found, console)


def _show_index(found: Mapping[str, Any], console: Console) -> None:
    """Print what an index says to a spec: its fields, its notes and the SQL statement."""
    console.print()
    console.print(_fields(found["fields"]))
    for note in words_of_notes(found["notes"]):
        console.print(Text(f"Note: {note}", style="yellow"))
    if found["sql"] is not None:
        _heading(console, "The SQL statement that DuckDB runs, with its parameters:")
        console.print(Text(found["sql"]["statement"], style="dim"), soft_wrap=True)
        console.print(Text(", ".join(map(str, found["sql"]["parameters"])), style="dim"), soft_wrap=True)


def _lists(found: Mapping[str, Any]) -> Iterator[str]:
    for name, count in found["value_sets"].items():
        yield f"@{name} lists {counted(count, 'value')}."
    yield from map(value_list_words, found["value_lists"] or ())


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _item(console: Console, text: str) -> None:
    item = Table.grid(padding=(0, 1, 0, 0))
    item.add_row("  -", Text(text))
    console.print(item)


def _sentence(found: Mapping[str, Any]) -> Sentence:
    return Sentence(found["text"], tuple(_sentence(part) for part in found["parts"]))


def _print(console: Console, sentence: Sentence, prefix: str = "") -> None:
    for number, line in enumerate(sentence.lines()):
        start = prefix if number == 0 else " " * len(prefix)
        indent = len(line) - len(line.lstrip())
        console.print(Padding(Text(f"{start}{line.lstrip()}"), (0, 0, 0, 2 + indent)))


def _fields(fields: list[Mapping[str, Any]]) -> Table:
    table = Table(title="Fields", title_justify="left", title_style="bold")
    table.add_column("field", overflow="fold")
    table.add_column("from", overflow="fold")
    table.add_column("kind")
    table.add_column("unit")
    table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("in doubt", justify="right", no_wrap=True)
    has_several = any(field["several"] for field in fields)
    if has_several:
        table.add_column("several", justify="right", no_wrap=True)
    for field in fields:
        share = f" ({field['missing'] / field['images']:.0%})" if field["images"] else ""
        columns = ", then ".join(field["columns"])
        if "between" in field:
            born, day = (", then ".join(part) for part in field["between"])
            columns += f"{', then ' if columns else ''}the time from {born} to {day}"
        missing = f"{field['missing']:,}{share}"
        texts = (Text(field["field"]), Text(columns), field["kind"], Text(field["unit"] or ""))
        several = [f"{field['several']:,}"] if has_several else []
        table.add_row(*texts, missing, f"{field['in_doubt']:,}", *several)
    return table
