"""Value sets: lists of values that a spec refers to by name, written in the spec or in a file beside it."""

from __future__ import annotations

import csv
import io
import re
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.node import CONTROL
from monai_unlearn.cohort.language.source import shown
from monai_unlearn.cohort.spec.document import ValueFile, ValueSource
from monai_unlearn.errors import did_you_mean
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monai_unlearn.cohort.language.located import Located
    from monai_unlearn.cohort.language.located import Path as Path_
    from monai_unlearn.cohort.language.source import Fault
    from monai_unlearn.cohort.spec.document import Absent, ValueSet

MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 1_000_000
_COMMENT = re.compile(r"#(?:[\s#]|$)")
_SHOWN_ROWS = 5
EVERY_LIST = "*"
"""In `absent`: the values that every list of a spec may have although they do not occur in the index."""


class ValueSetError(ValueError):
    """A value set that cannot be used; the message says why, without showing a value."""


class ValueSets:
    """Reads the value sets of one spec, and collects their faults."""

    def __init__(self, spec: Located, folder: Path | None) -> None:
        self._spec = spec
        self._folder = folder
        self.faults: list[Fault] = []

    def read(self, value_sets: Mapping[str, ValueSet]) -> dict[str, tuple[str, ...]]:
        """Return the distinct values of each set as texts, sorted; a set with a fault is empty."""
        return {name: self._values(name, value_sets[name]) for name in sorted(value_sets)}

    def read_absent(self, absent: Absent | None, value_sets: Mapping[str, ValueSet]) -> dict[str, tuple[str, ...]]:
        """Return the values that are known not to occur in the index, by value set; `EVERY_LIST` for all lists."""
        own = {name: source.absent for name, source in value_sets.items() if isinstance(source, ValueSource)}
        given: dict[str, tuple[Path_, Absent | None]] = {EVERY_LIST: (("absent",), absent)}
        given |= {name: (("value_sets", name, "absent"), own[name]) for name in sorted(own)}
        return {name: self._absent(path, values) for name, (path, values) in given.items() if values is not None}

    def _values(self, name: str, values: ValueSet) -> tuple[str, ...]:
        path: Path_ = ("value_sets", name)
        if isinstance(values, ValueSource) and values.file is not None:
            file = ValueFile(file=values.file, column=values.column)
            return self._distinct(path, lambda: _from_file(file, self._folder))
        if isinstance(values, ValueSource):
            return self._written(path, (*path, "values"), len(values.values or ()))
        if isinstance(values, list):
            return self._written(path, path, len(values))
        return self._distinct(path, lambda: [self._spec.text_of(path)])

    def _absent(self, path: Path_, values: Absent) -> tuple[str, ...]:
        if isinstance(values, list):
            return self._written(path, path, len(values))
        file = ValueFile(file=values) if isinstance(values, str) else values
        # A list of exceptions may have none yet.
        return self._distinct(path, lambda: _from_file(file, self._folder, least=0))

    def _written(self, path: Path_, place: Path_, count: int) -> tuple[str, ...]:
        """Return values that are written in the spec, in their own spelling."""
        return self._distinct(path, lambda: [self._spec.text_of((*place, number)) for number in range(count)])

    def _distinct(self, path: Path_, texts: Callable[[], list[str]]) -> tuple[str, ...]:
        try:
            return distinct_values(texts())
        except ValueSetError as error:
            self.faults.append(self._spec.fault_in_key(path, f"{error}."))
            return ()


def distinct_values(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the distinct values, stripped and sorted.

    Raises:
        ValueSetError: A value is empty or has control characters.
    """
    for number, text in enumerate(texts, start=1):
        if CONTROL.search(text) or not text.strip():
            raise ValueSetError(f"expected plain text, got an empty value or control characters for value {number}")
    return tuple(sorted({text.strip() for text in texts}))


def _from_file(values: ValueFile, folder: Path | None, *, least: int = 1) -> list[str]:
    name = shown(values.file)
    path = _inside(values.file, folder)
    if values.column is None and path.suffix.lower() in {".csv", ".tsv"}:
        raise ValueSetError(f"{name} is a table: name the column that holds the values, {{file: {name}, column: NAME}}")
    text = _read(path, name)
    texts = _lines(text) if values.column is None else _column(text, values.column, name)
    if not least <= len(texts) <= MAX_VALUES:
        expected, found = (f"at most {MAX_VALUES:,} values", "more") if texts else ("at least one value", "none")
        raise ValueSetError(f"expected {expected} in {name}, found {found}")
    return texts


def _inside(name: str, folder: Path | None) -> Path:
    """Return the file's path; refuse a path or link that leads out of the spec's folder."""
    if folder is None:
        raise ValueSetError(
            "a spec that was not read from a file has no files beside it: write the values into the spec"
        )
    parts = PurePosixPath(name).parts
    is_absolute = PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or PureWindowsPath(name).root
    if is_absolute or ".." in parts or "\\" in name or CONTROL.search(name):
        raise ValueSetError("expected a file in the spec's folder, got a path that leads elsewhere")
    try:
        path = (folder / name).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise ValueSetError(f"expected a file in the spec's folder, found no {shown(name)}") from None
    if not path.is_relative_to(folder.resolve()):
        raise ValueSetError("expected a file in the spec's folder, got a link that leads elsewhere")
    return path


def _read(path: Path, name: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueSetError(f"expected a file, got something else at {name}")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueSetError(f"{name} cannot be read ({error.strerror})") from None
    if len(content) > MAX_BYTES:
        raise ValueSetError(f"expected at most {MAX_BYTES // 1024**2} MiB in {name}, got more")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueSetError(f"expected UTF-8 in {name}, got other bytes") from None


def _lines(text: str) -> list[str]:
    """Return one value per line, without empty lines and comments.

    A comment begins with `#` and a space: `#123` may be an identifier, which nobody must lose without a word.
    """
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not _COMMENT.match(line)]


def _hint(column: str, header: Sequence[str]) -> str:
    """Return what to do about a column that a table does not have, without its full stop."""
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return ". Its columns are not separated by commas: save it as a CSV with commas, or as a .tsv with tabs"
    similar = did_you_mean(column, header)
    return f".{similar}" if similar else ". Its first line must name the columns"


def _column(text: str, column: str, name: str) -> list[str]:
    try:
        mark = "\t" if name.lower().endswith(".tsv") else ","
        rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=mark)
        header = [name.strip() for name in next(rows, [])]
        if column not in header:
            raise ValueSetError(f"{name} has no column '{shown(column)}'{_hint(column, header)}")
        if header.count(column) > 1:
            raise ValueSetError(f"{name} has the column '{shown(column)}' twice. Rename one of them")
        whole = [row for row in rows if row]
        if any(len(row) != len(header) for row in whole):
            raise ValueSetError(
                f"{name} is not a well-formed CSV: expected as many values in each line as in the header"
            )
        values = [row[header.index(column)].strip() for row in whole]
    except csv.Error:
        raise ValueSetError(f"{name} is not a well-formed CSV") from None
    _check_whole(values, whole, column, name)
    return [value for value in values if value]


def _check_whole(values: Sequence[str], rows: Sequence[Sequence[str]], column: str, name: str) -> None:
    """Refuse a row without a value that has others: nobody must drop out of a list without a word."""
    numbers = [
        number for number, (value, row) in enumerate(zip(values, rows, strict=True), 1) if not value and any(row)
    ]
    if numbers:
        more = ", …" if len(numbers) > _SHOWN_ROWS else ""
        raise ValueSetError(
            f"expected a value of '{shown(column)}' in each row of {name}, found none in "
            f"{counted(len(numbers), 'row')}: {', '.join(map(str, numbers[:_SHOWN_ROWS]))}{more} (counted "
            "from 1 below the header). Fill it in, or delete the row"
        )
