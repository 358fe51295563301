"""The SQL statement that turns the rows of a table into rows of an index, faults included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.doubts import DOUBTS, SEVERAL_VALUES
from monai_unlearn.index.faults import SEPARATOR, WHOLE_SLIDE_CLASS, Fault
from monai_unlearn.index.store.schema import BASE_COLUMNS
from monai_unlearn.index.tables.table_sql import cleaned, literal, quoted, side
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.laterality import LATERALITY, LATERALITY_TAGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.index.tables.opened_table import SourceColumn
    from monai_unlearn.index.tables.table_columns import TableColumn

FORMAT = "table"


def identifier_sql(column: SourceColumn) -> str:
    """Return the SQL of the image identifiers in a column, without padding; null if empty."""
    return cleaned(f"CAST({quoted(column.name)} AS VARCHAR)", column.kept)


def table_statement(columns: Sequence[TableColumn], identifier: SourceColumn) -> str:
    """Return the statement that selects the rows of the index: read, then typed, then checked for faults.

    Args:
        columns: The columns of the index, without its identifier.
        identifier: The column that identifies each image.
    """
    raw = [f"{identifier_sql(identifier)} AS image_id"]
    raw += [f"{column.raw()} AS raw_{number}" for number, column in enumerate(columns)]
    typed = ["*", *(f"{column.typed(f'raw_{number}')} AS typed_{number}" for number, column in enumerate(columns))]
    typed += [
        f"{column.partial(f'raw_{number}') or 'NULL'} AS partial_{number}" for number, column in enumerate(columns)
    ]
    typed += [
        f"{column.several(f'raw_{number}') or 'NULL'} AS several_{number}" for number, column in enumerate(columns)
    ]
    sides = _sides(columns)
    typed += [f"{sides} AS sides"] if sides else []
    judged = ["*", f"{_faults(columns)} AS faults"]
    gravest = f"split_part(faults, {literal(SEPARATOR)}, 1) AS fault"
    last = ["image_id", f"{literal(FORMAT)} AS format", gravest, "faults", *_doubts(columns)]
    last += [f"CASE WHEN sides IN ('R', 'L', 'B') THEN sides END AS {quoted(LATERALITY)}"] if sides else []
    last += [
        f"typed_{number} AS {quoted(column.name)}"
        for number, column in enumerate(columns)
        if not (sides and column.name == LATERALITY)
    ]
    absent = set(BASE_COLUMNS) - {"image_id", "format", "fault", "faults", *DOUBTS}
    absent -= {column.name for column in columns}
    last += [f"NULL AS {quoted(name)}" for name in sorted(absent)]
    statement = f"SELECT {', '.join(raw)} FROM source"  # noqa: S608 - names are quoted, values literal
    # The names of the index only come last: those of a subquery must differ in more than their case.
    for step in (typed, judged, last):
        statement = f"SELECT {', '.join(step)} FROM ({statement})"  # noqa: S608
    return statement


def has_sides(columns: Sequence[TableColumn]) -> bool:
    """Return whether an index of these columns has a column `laterality` that is found from theirs."""
    return bool(_of_sides(columns))


def _of_sides(columns: Sequence[TableColumn]) -> list[int]:
    """Return the numbers of the columns that name sides, one called `laterality` included, unless it holds numbers."""
    own = [column.kind for column in columns if column.name == LATERALITY]
    if own not in ([], [Kind.TEXT]):
        return []
    names = (LATERALITY, *LATERALITY_TAGS)
    return [number for number, column in enumerate(columns) if column.name in names]


def _sides(columns: Sequence[TableColumn]) -> str | None:
    """Return the SQL of the different sides that the tags of a row name, joined by commas; null if none is named."""
    if not has_sides(columns):
        return None
    raws = [f"raw_{number}" for number in _of_sides(columns)]
    words = f"string_split(concat_ws(chr(92), {', '.join(raws)}), chr(92))"
    return f"array_to_string(list_sort(list_distinct([{side('word')} FOR word IN {words} IF trim(word) != ''])), ',')"


def _faults(columns: Sequence[TableColumn]) -> str:
    """Return the SQL of the faults of each row's values, gravest first."""
    conditions: dict[Fault, str] = {}
    for fault in Fault:
        checked = [number for number, column in enumerate(columns) if column.fault is fault]
        if checked:
            conditions[fault] = " OR ".join(map(_is_invalid, checked))
    several = [f"several_{number} IS NOT NULL" for number, column in enumerate(columns) if column.several("")]
    if several:
        conditions[Fault.SEVERAL_NUMBERS] = " OR ".join(several)
    if has_sides(columns):
        conditions[Fault.CONTRADICTING_LATERALITY] = "sides LIKE '%,%' AND sides NOT LIKE '%?%'"
        conditions[Fault.INVALID_LATERALITY] = "sides LIKE '%?%'"
    for number, column in enumerate(columns):
        if column.keyword == "SOPClassUID":
            conditions[Fault.WHOLE_SLIDE] = f"typed_{number} = {literal(WHOLE_SLIDE_CLASS)}"
    return _joined([f"CASE WHEN {conditions[f]} THEN {literal(f.code)} END" for f in Fault if f in conditions])


def _is_invalid(number: int) -> str:
    is_empty = " AND ".join(f"{form}_{number} IS NULL" for form in ("typed", "partial", "several"))
    return f"raw_{number} IS NOT NULL AND {is_empty}"


def _doubts(columns: Sequence[TableColumn]) -> list[str]:
    """Return the SQL of the columns of `doubts.py`."""
    entries: dict[str, list[str]] = {name: [] for name in DOUBTS}
    for number, column in enumerate(columns):
        keyword = literal(column.keyword)
        if column.fault is not None:
            entries["invalid"].append(f"CASE WHEN {_is_invalid(number)} THEN {keyword} END")
        if column.partial("") is not None:
            entries["partial"].append(f"partial_{number}")
        if column.several("") is not None:
            entries[SEVERAL_VALUES].append(f"several_{number}")
        condition = column.placeholder(f"raw_{number}")
        if condition is not None:
            entries["implausible"].append(f"CASE WHEN {condition} THEN {keyword} END")
    return [f"{_joined(found)} AS {name}" for name, found in entries.items()]


def _joined(entries: Sequence[str]) -> str:
    joined = ", ".join(entries)
    return f"nullif(concat_ws({literal(SEPARATOR)}, {joined}), '')" if entries else "CAST(NULL AS VARCHAR)"
