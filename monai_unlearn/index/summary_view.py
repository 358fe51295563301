"""How the summary of an index is shown to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

_DEVICES_SHOWN = 20
_UNITS = (("patients", "patient"), ("studies", "study", "studies"), ("series", "series", "series"))
_EXAMPLES_SHOWN = 20


def show(document: Mapping[str, Any], console: Console) -> None:
    """Print a summary for people, with at most twenty devices."""
    for head, text in _lines(document):
        console.print(Text.assemble((f"{head:<9}", "bold"), text), soft_wrap=True)
    if document["devices"]:
        console.print(_devices(document["devices"]))
    if len(document["devices"]) > _DEVICES_SHOWN:
        console.print(
            f"… and {len(document['devices']) - _DEVICES_SHOWN:,} more; --json lists them all", highlight=False
        )
    console.print(_fill(document["fill"]))


def _lines(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    formats = ", ".join(f"{count:,} {name}" for name, count in document["formats"].items())
    yield "index", f"{document['index']} ({document['digest'][:19]}…)"
    yield "rows", f"{document['rows']:,}, {document['images']:,} of them images ({formats})"
    yield "of", ", ".join(counted(document[many], *words) for many, *words in _UNITS)
    if document["ignored"]:
        yield "ignored", counted(document["ignored"], "other file")
    for code, fault in document["faults"].items():
        mark = "counts" if fault["usable"] else "left out"
        yield "fault", f"{fault['count']:,} {code} ({mark}): {fault['sentence']}"
        yield from (("", path) for path in fault["examples"][:_EXAMPLES_SHOWN])
        if len(fault["examples"]) > _EXAMPLES_SHOWN:
            yield "", f"… and {len(fault['examples']) - _EXAMPLES_SHOWN:,} more; --json lists them all"


def _devices(devices: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("manufacturer", "model", "images", title="Devices", title_justify="left")
    for device in devices[:_DEVICES_SHOWN]:
        names = (Text(device[key] or "–") for key in ("manufacturer", "model"))
        table.add_row(*names, f"{device['images']:,}")
    return table


def _fill(fill: Mapping[str, float]) -> Table:
    table = Table("column", "images that have it", title="Filled", title_justify="left")
    for name, share in fill.items():
        table.add_row(Text(name), f"{100 * share:.1f} %")
    return table
