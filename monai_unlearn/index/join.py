"""Joining tables to images: which row belongs to which image, said exactly, and nothing guessed."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.fields import Kind
from monai_unlearn.index.assemble import is_usable
from monai_unlearn.index.listing import SUFFIX
from monai_unlearn.index.store import PANDAS_TYPES
from monai_unlearn.index.tables import SourceTable, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE_NAME = "file_name"
FILE_STEM = "file_stem"
_OF_A_FILE = (FILE_NAME, FILE_STEM, "path")
# The tags that an index keeps under a shorter name.
_RENAMED = {
    "SOPInstanceUID": "image_id",
    "PatientID": "patient",
    "StudyInstanceUID": "study",
    "SeriesInstanceUID": "series",
}
_UID = re.compile(r"[012](?:\.\d+){2,}")
_EXAMPLES = 5


@dataclass(frozen=True)
class Key:
    """How a table is matched: its `column` with the index's `field` (found by its values where null)."""

    table: Path
    column: str
    field: str | None = None

    @classmethod
    def parse(cls, table: Path, key: str) -> Key:
        """Read `COLUMN[=FIELD]`.

        Raises:
            IndexReadError: The column or the field is empty.
        """
        column, equals, field = (part.strip() for part in key.partition("="))
        if not column or (equals and not field):
            raise IndexReadError(f"--key {key}: expected COLUMN or COLUMN=FIELD.")
        return cls(table, column, field or None)


@dataclass(frozen=True, kw_only=True)
class Match:
    """How a table's rows met the images.

    `unmatched_row_numbers` are the first of the rows that no image has, counted from 1 below the header.
    """

    file: str
    key: str
    field: str
    rows: int
    matched_rows: int
    unmatched_rows: int
    unmatched_row_numbers: tuple[int, ...]
    images_with_row: int
    images_without_row: int

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Joined:
    """The rows with the columns of every table.

    Attributes:
        frame: The rows of the index.
        kinds: The kind of each column that came from a table.
        texts: The same columns as their tables spell them, one value a row of the index.
        origins: The table that each of them came from.
        matches: How each table met the images.
    """

    frame: pd.DataFrame
    kinds: Mapping[str, Kind]
    texts: pd.DataFrame
    origins: Mapping[str, str]
    matches: tuple[Match, ...]


def pair_keys(tables: Sequence[Path], keys: Sequence[str]) -> tuple[Key, ...]:
    """Pair the tables and keys of a command line, in their order.

    Raises:
        IndexReadError: There are more of one than of the other, or a key is not `COLUMN[=FIELD]`.
    """
    if len(tables) != len(keys):
        raise IndexReadError(
            f"Expected one --key for each --table, in the same order, got {len(tables)} --table and {len(keys)} --key."
        )
    return tuple(Key.parse(table, key) for table, key in zip(tables, keys, strict=True))


def join_tables(frame: pd.DataFrame, keys: Sequence[Key], kinds: Mapping[str, Kind]) -> Joined:
    """Add the columns of every table to the rows of the index.

    Args:
        frame: The rows, with `relative`.
        keys: The tables.
        kinds: The kinds of the index's own columns.

    Raises:
        IndexReadError: A table cannot be read; a column, field or key is unknown, stands twice, or collides;
            or no row of a table belongs to an image.
    """
    joined = Joined(frame, {}, pd.DataFrame(index=frame.index), {}, ())
    for key in keys:
        joined = _join(joined, key, kinds)
    return joined


def _join(joined: Joined, key: Key, kinds: Mapping[str, Kind]) -> Joined:
    table = read_table(key.table)
    if key.column not in table.kinds:
        hint = did_you_mean(key.column, table.kinds)
        raise IndexReadError(f"{key.table}: the table has no column '{key.column}'.{hint} It is named by --key.")
    keys = table.texts[key.column].to_pandas(types_mapper=PANDAS_TYPES.get)
    _refuse_repeated_keys(key, keys)
    field = _field(key, keys, kinds)
    taken = _columns_taken(table, key, field, {**kinds, **joined.kinds})
    fields = _field_values(joined.frame, field, keys)
    rows = fields.map(pd.Series(range(len(keys)), index=keys, dtype="Int64")[keys.notna().to_numpy()])
    match = _match(joined.frame, key, field, keys, rows)
    positions = pa.array(rows, type=pa.int64(), from_pandas=True)
    mapper = PANDAS_TYPES.get
    values = table.typed.select(taken).take(positions).to_pandas(types_mapper=mapper)
    texts = table.texts.select(taken).take(positions).to_pandas(types_mapper=mapper)
    return Joined(
        frame=pd.concat([joined.frame, values.set_axis(joined.frame.index)], axis=1),
        kinds={**joined.kinds, **{name: table.kinds[name] for name in taken}},
        texts=pd.concat([joined.texts, texts.set_axis(joined.frame.index)], axis=1),
        origins={**joined.origins, **dict.fromkeys(taken, f"table:{key.table.name}")},
        matches=(*joined.matches, match),
    )


def _refuse_repeated_keys(key: Key, keys: pd.Series[str]) -> None:
    twice = keys[keys.notna() & keys.duplicated(keep=False)]
    if len(twice):
        numbers = ", ".join(str(number + 1) for number in twice.index[:_EXAMPLES])
        more = ", …" if len(twice) > _EXAMPLES else ""
        raise IndexReadError(
            f"{key.table}: expected each key of column '{key.column}' once, "
            f"got {len(twice)} rows that share one: rows {numbers}{more} (counted from 1 below the header)."
        )


def _field(key: Key, keys: pd.Series[str], kinds: Mapping[str, Kind]) -> str:
    """Return which field of the index the key is matched with."""
    if key.field is None:
        present = keys.dropna()
        return "image_id" if len(present) and present.str.fullmatch(_UID).all() else FILE_NAME
    field = _RENAMED.get(key.field, key.field)
    texts = [*_OF_A_FILE, *(name for name, kind in kinds.items() if kind is Kind.TEXT)]
    if field not in texts:
        hint = did_you_mean(key.field, texts) if field not in kinds else " Only text can be matched."
        raise IndexReadError(f"--key {key.column}={key.field}: the index has no text field of that name.{hint}")
    return field


def _field_values(frame: pd.DataFrame, field: str, keys: pd.Series[str]) -> pd.Series[str]:
    """Return each row's value of the field that the key is matched with.

    Raises:
        IndexReadError: Two images share a name, so that it cannot tell them apart.
    """
    if field not in _OF_A_FILE:
        values: pd.Series[str] = frame[field]
        return values
    names = frame["path"].str.rpartition("/")[2]
    if field == "path":
        values = frame["path"] if keys.dropna().str.startswith("/").any() else frame["relative"]
    elif field == FILE_NAME:
        values = names
    else:
        values = names.str.replace(SUFFIX, "", regex=True)
    wanted = values[is_usable(frame) & values.isin(keys)]
    shared = wanted[wanted.duplicated(keep=False)]
    if len(shared):
        raise IndexReadError(
            f"{len(shared)} images share their {field} with another, the first is "
            f"{frame['path'][shared.index[0]]}; so the table's rows may belong to any of them. "
            "Match by the path within the source: --key COLUMN=path."
        )
    return values


def _columns_taken(table: SourceTable, key: Key, field: str, present: Mapping[str, Kind]) -> list[str]:
    """Return which columns of the table become columns of the index.

    The key does where its name is free and it says something new. Names are compared without case, as the
    query engine does.
    """
    taken_names = {name.lower(): name for name in (*present, *_RENAMED, "relative")}
    columns = []
    for name in table.kinds:
        if name == key.column and (field == "image_id" or name.lower() in taken_names):
            continue
        if name.lower() in taken_names:
            raise IndexReadError(
                f"{key.table}: the column '{name}' has the name of a column that the index has already "
                f"('{taken_names[name.lower()]}'). Rename it in the table."
            )
        taken_names[name.lower()] = name
        columns.append(name)
    return columns


def _match(frame: pd.DataFrame, key: Key, field: str, keys: pd.Series[str], rows: pd.Series[int]) -> Match:
    usable = is_usable(frame)
    matched = set(rows.dropna().astype(int))
    if not matched:
        raise IndexReadError(
            f"{key.table}: none of the {len(keys)} keys of column '{key.column}' is the {field} of an image. "
            f"Name what it matches with --key {key.column}=FIELD: {', '.join(_OF_A_FILE)}, patient, …"
        )
    unmatched = [number for number in range(len(keys)) if number not in matched]
    return Match(
        file=str(key.table),
        key=key.column,
        field=field,
        rows=len(keys),
        matched_rows=len(matched),
        unmatched_rows=len(unmatched),
        unmatched_row_numbers=tuple(number + 1 for number in unmatched[:_EXAMPLES]),
        images_with_row=int((usable & rows.notna()).sum()),
        images_without_row=int((usable & rows.isna()).sum()),
    )
