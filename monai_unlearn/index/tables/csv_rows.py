"""The rows of a CSV, and what is wrong with a malformed one: which line, and why, without quoting it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterator
    from pathlib import Path

# In characters; the longest value that a quote may enclose.
_LONGEST_VALUE = 1024 * 1024


def csv_rows(path: Path, delimiter: str) -> Iterator[list[str]]:
    """Yield the header and the rows of a CSV; an empty line is a row without values.

    Args:
        path: A CSV in UTF-8.
        delimiter: What separates its values.

    Raises:
        IndexReadError: A line has more or fewer values than the header, a quote is not closed, or it is not UTF-8.
        OSError: The file cannot be read.
    """
    csv.field_size_limit(_LONGEST_VALUE)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        header: list[str] | None = None
        while (row := _next(path, reader)) is not None:
            header = header or row
            if len(row) not in (0, len(header)):
                raise IndexReadError(
                    f"{path}: not a well-formed CSV in line {reader.line_num}: expected {len(header)} "
                    f"value{'s' if len(header) > 1 else ''} as in the header, got {len(row)}."
                )
            yield row or [""] * len(header)


def _next(path: Path, reader: Reader) -> list[str] | None:
    line = reader.line_num + 1
    try:
        return next(reader, None)
    except UnicodeDecodeError:
        raise IndexReadError(f"{path}: expected a table in UTF-8, got other bytes. Save it as UTF-8.") from None
    except csv.Error as error:
        # Python's other messages are about a value that goes on behind its quote, or about a byte of zero.
        is_open = "unexpected end of data" in str(error) or "field larger" in str(error)
        what = "a quote that opens there is never closed" if is_open else "a quoted value goes on behind its quote"
        raise IndexReadError(f"{path}: not a well-formed CSV in line {line}: {what}.") from None
