"""A bundle, or the difference of two, as tables that Markdown and HTML show alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.wording import NOTHING, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]

SHOWN = 160
"""Characters of a value; the JSON has it whole."""


def difference_tables(document: Document) -> Iterator[Table]:
    """Yield the tables of what `compare_bundles` returns; what did not change has no rows."""
    yield _material(document["material"])
    yield _changes("Identity", document["identity"])
    yield _verdicts(document["verdict"])
    yield _changes("Labels", document["labels"])
    yield _changes("Metrics", document["metrics"])
    yield _status("Weights", document["weights"])
    for path, one in document["weights"].items():
        if one.get("layers"):
            yield _layers(path, one)
    yield _changes("Downloads", document["downloads"])
    yield _status("Configs", document["configs"])
    for name, one in document["configs"].items():
        if one["status"] == "changed":
            yield _changes(f"Changes of {name}", one["changes"])
    yield _status("Scripts", document["scripts"])
    yield _changes("Metadata", document["metadata"])


def bundle_tables(document: Document) -> Iterator[Table]:
    """Yield the tables of what `read_bundle` returns."""
    yield _pairs("Identity", document["identity"])
    verdict = document["verdict"] or {}
    yield _pairs("Verdict of the last revision", {key: verdict[key] for key in ("verdict", "action") if key in verdict})
    yield _pairs("Labels", document["labels"])
    yield _pairs("Metrics", document["metrics"])
    yield _pairs("Weights", {path: one["sha256"] for path, one in document["weights"].items()})
    yield _pairs("Downloads", document["downloads"])
    yield _pairs("Configs", {name: _ids(config) for name, config in document["configs"].items()})
    yield _pairs("Scripts, which run as code", document["scripts"])


def _pairs(caption: str, values: Mapping[str, Any]) -> Table:
    rows = [cells(str(name), shown(value)) for name, value in values.items() if value is not None]
    return Table(caption=caption, headings=("what", "content"), rows=rows, texts=2)


def _ids(config: object) -> str:
    return ", ".join(map(str, config)) if isinstance(config, dict) else NOTHING


def _material(found: list[dict[str, str]]) -> Table:
    rows = [cells(one["kind"], one["text"]) for one in found]
    return Table(caption="Material changes", headings=("kind", "what"), rows=rows, texts=2)


def _changes(caption: str, changes: list[dict[str, Any]]) -> Table:
    rows = [cells(one["path"].lstrip("/") or NOTHING, shown(one["old"]), shown(one["new"])) for one in changes]
    return Table(caption=caption, headings=("where", "old", "new"), rows=rows, texts=3)


def _verdicts(verdict: Mapping[str, Any]) -> Table:
    found = {name: words((one or {}).get("verdict") or "none") for name, one in verdict.items()}
    rows = [] if found["old"] == found["new"] else [cells("verdict", found["old"], found["new"])]
    return Table(caption="Verdict", headings=("what", "old", "new"), rows=rows, texts=3)


def _status(caption: str, found: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = [
        cells(name, one["status"], one.get("why") or NOTHING) for name, one in found.items() if one["status"] != "same"
    ]
    return Table(caption=caption, headings=("file", "found", "note"), rows=rows, texts=3)


def _layers(path: str, found: Mapping[str, Any]) -> Table:
    rows = [
        cells(one["name"], *(Cell(number(one[key])) for key in ("norm", "change", "relative")))
        for one in found["layers"]
    ]
    rows += [cells(name, NOTHING, kind, NOTHING) for kind in ("added", "removed") for name in found[kind]]
    headings = ("layer", "norm before", "norm of the change", "relative")
    return Table(caption=f"Layers of {path}", headings=headings, rows=rows)


def number(value: float | None) -> str:
    """Format a norm.

    >>> number(0.012345), number(None)
    ('0.01235', '–')
    """
    return NOTHING if value is None else f"{value:.4g}"


def shown(value: object) -> str:
    """Return a value in one line, shortened.

    >>> shown({"0": "normal"}), shown(None), shown(0.5)
    ('{"0": "normal"}', '–', '0.5')
    """
    if value is None:
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
