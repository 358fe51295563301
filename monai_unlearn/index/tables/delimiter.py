"""What separates the values of a table: a comma unless the file or the user says otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_QUOTED = re.compile(r'"[^"]*"')
_LONGEST_HEADER = 1024 * 1024
_SPELLED = {"tab": "\t", "\\t": "\t"}


def parse_delimiter(text: str | None) -> str | None:
    r"""Return the character that a user names: any single one, or `tab`.

    Raises:
        IndexReadError: It is not one character, or is one that a table needs for something else.

    >>> parse_delimiter(";"), parse_delimiter("tab"), parse_delimiter(None)
    (';', '\t', None)
    """
    if text is None:
        return None
    found = _SPELLED.get(text, text)
    if len(found) != 1 or found in '"\r\n\0':
        raise IndexReadError(f"--delimiter {text!r}: expected one character, such as ';', or tab.")
    return found


def delimiter_of(path: Path, given: str | None) -> str:
    """Return the delimiter of a table: the one given, a tab for `.tsv`, otherwise a comma.

    Args:
        path: The table.
        given: The delimiter that the user named; null if none.

    Raises:
        IndexReadError: The user named none, and the header has more names when another delimiter separates them.
        OSError: The file cannot be read.
    """
    if given is not None:
        return given
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    header = _QUOTED.sub("", _header(path))
    other = max(_NAMES, key=lambda delimiter: (header.count(delimiter), delimiter == usual))
    if header.count(other) > header.count(usual):
        option = "tab" if other == "\t" else f"'{other}'"
        raise IndexReadError(
            f"{path}: expected a table separated by {_NAMES[usual]}, got a header separated by {_NAMES[other]}. "
            f"Read it with: --delimiter {option}"
        )
    return usual


def _header(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            return stream.readline(_LONGEST_HEADER)
    except UnicodeDecodeError:
        return ""  # the reader of the table says what is wrong
