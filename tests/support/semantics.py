"""Text tables of what a predicate evaluates to, checked by resolving a real spec on a real index.

A table is a predicate, a line of column names that ends in `part`, and a row per image. `-` is a missing value,
`***` an invalid one, `2018-12` or `2018` a shortened date, and `000Y` an age that an anonymiser wrote. Several numbers
or dates have backslashes between them, as texts have. A first line
`implausible: keep` is a key of the spec:

    age >= 60
    | age | part         |
    | 60  | forget       |
    | -   | undetermined |
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml
from cohort_index import make_index, make_spec

from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {
    "device": Kind.TEXT,
    "patient_ids": Kind.TEXT,
    "faults": Kind.TEXT,
    "eye_label": Kind.TEXT,
    "centre": Kind.TEXT,
    "odd name": Kind.TEXT,
    "age": Kind.AGE,
    "ImageType": Kind.TEXT,
    "vpf": Kind.NUMBER,
    "r_vpf": Kind.NUMBER,
    "l_vpf": Kind.NUMBER,
    "length_mm": Kind.NUMBER,
    "length_cm": Kind.NUMBER,
    "visit": Kind.DATE,
    "taken": Kind.DATETIME,
    "AcquisitionDate": Kind.DATE,
    "AcquisitionDateTime": Kind.DATETIME,
    "StudyDate": Kind.DATE,
    "ImageLaterality": Kind.TEXT,
    "laterality": Kind.TEXT,
    "SoftwareVersions": Kind.TEXT,
    "AccessionNumber": Kind.TEXT,
    "PatientBirthDate": Kind.DATE,
    "PatientAge": Kind.AGE,
    "NumberOfFrames": Kind.NUMBER,
    "SliceThickness": Kind.NUMBER,
    "FrameReferenceDateTime": Kind.DATETIME,
    "AnatomicRegionSequence.CodeMeaning": Kind.TEXT,
    '(0019,"GEMS_ACQU_01",10)': Kind.TEXT,
    "SourceApplicationEntityTitle": Kind.TEXT,
}
# As if the index was built with `--tag` for each.
TAGS = frozenset(
    (
        "AnatomicRegionSequence.CodeMeaning",
        '(0019,"GEMS_ACQU_01",10)',
        "SourceApplicationEntityTitle",
        "FrameReferenceDateTime",
    )
)
UNITS = {"length_mm": "mm", "length_cm": "cm", "SliceThickness": "mm"}
VALUE_SETS = """\
value_sets:
  retired: [Cirrus, Maestro 2]
  measures: [1.5, 2]
  limit: 3
  index_date: [2018-06-15, 2020-01-15]
"""
_READERS = {
    Kind.TEXT: str,
    Kind.NUMBER: float,
    Kind.AGE: float,
    Kind.DATE: dt.date.fromisoformat,
    Kind.DATETIME: dt.datetime.fromisoformat,
}


def blocks(text: str) -> list[str]:
    """Return the tables of a text, which empty lines separate."""
    return [block.strip() for block in text.strip().split("\n\n")]


def check(block: str, directory: Path) -> None:
    """Resolve the predicate of a table, and compare the part of every row with that in the table.

    A cohort that forgets nothing, or everything, is refused. So one row is added that is always forgotten and one
    that always remains; the conditions that place them change no other row.
    """
    lines = block.splitlines()
    key = lines.pop(0) if lines[0].startswith("implausible:") else ""
    predicate, header, *rows = lines
    names = _cells(header)
    images = [_cells(row) for row in rows]
    assert names[-1] == "part"
    assert all(len(row) == len(names) for row in images)
    columns: dict[str, list[Any]] = {
        name: [*(_value(name, row[place]) for row in images), None, None] for place, name in enumerate(names[:-1])
    }
    for doubt, entry in DOUBTS.items():
        listed = ["\\".join(filter(None, map(entry, names[:-1], row[:-1]))) or None for row in images]
        columns[doubt] = [*listed, None, None]
    columns["anchor"] = [*["no"] * len(images), "forget", "remain"]
    kinds = {**{name: KINDS[name] for name in names[:-1]}, "anchor": Kind.TEXT}
    rule = f"(({predicate}) or anchor == forget) and anchor != remain"
    spec = make_spec(
        yaml.safe_dump(rule, width=10_000).split("\n")[0], f"allow_empty_record: true\n{key}\n{VALUE_SETS}"
    )
    units = {name: unit for name, unit in UNITS.items() if name in kinds}
    cohort = spec.resolve(replace(make_index(directory, columns, kinds, units=units), tags=TAGS & kinds.keys()))
    found = {name: part for part, ids in cohort.image_ids.items() for name in ids}
    parts = [found[f"i{number:02d}"] for number in range(len(images))]
    assert parts == [row[-1] for row in images], f"{predicate}: found {parts}"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _value(name: str, cell: str) -> Any:
    if cell in {"-", INVALID} or _days(name, cell) or _several(name, cell):
        return None
    return 0.0 if cell == "000Y" else _READERS[KINDS[name]](cell)


def _days(name: str, cell: str) -> str | None:
    """Return the entry of a shortened date in the column `partial`."""
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", cell) if KINDS[name] in {Kind.DATE, Kind.DATETIME} else None
    if match is None:
        return None
    year, month = int(match[1]), int(match[2] or 12)
    last = calendar.monthrange(year, month)[1]
    return f"{name}={match[1]}-{match[2] or '01'}-01/{match[1]}-{month:02d}-{last}"


def _several(name: str, cell: str) -> str | None:
    """Return the entry of several numbers or dates in the column `several_values`."""
    is_one = KINDS[name] is Kind.TEXT or "\\" not in cell
    return None if is_one else f"{name}={'/'.join(cell.split(chr(92)))}"


INVALID = "***"
# What each column of doubts lists of a cell.
DOUBTS = {
    "invalid": lambda name, cell: name if cell == INVALID else None,
    "partial": _days,
    "implausible": lambda name, cell: name if cell == "000Y" else None,
    "several_values": _several,
}
