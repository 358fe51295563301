"""Finds the figure that was changed in a rendering of a card."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIGURE = re.compile(r"[+\-−]?\d[\d,]*(?:\.\d+)?")
_SHOWN = 80


def first_difference(found: str, expected: str) -> str:
    """Return where two renderings differ first: the line, and what was found in place of what.

    >>> first_difference("| a | 97.5 % |", "| a | 87.5 % |")
    "line 1: expected '87.5', found '97.5'"

    Args:
        found: The rendering as it is.
        expected: The rendering that its JSON gives.
    """
    ours, theirs = expected.split("\n"), found.split("\n")
    for number, (wanted, got) in enumerate(zip(ours, theirs, strict=False), 1):
        if wanted != got:
            return f"line {number}: {_in_line(got, wanted)}"
    return f"expected {len(ours)} lines, found {len(theirs)}"


def _in_line(found: str, expected: str) -> str:
    """Return the figures that differ where only figures do; otherwise the text around the first difference."""
    if _FIGURE.sub("0", found) == _FIGURE.sub("0", expected):
        pairs = zip(_FIGURE.findall(expected), _FIGURE.findall(found), strict=True)
        return "; ".join(f"expected '{wanted}', found '{got}'" for wanted, got in pairs if wanted != got)
    start = next(
        (place for place, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b),
        min(len(found), len(expected)),
    )
    start = max(0, start - 10)
    return f"expected '{expected[start : start + _SHOWN]}', found '{found[start : start + _SHOWN]}'"


def differing_figures(found: str, expected: str) -> Iterator[str]:
    """Yield the rows of tables whose figures differ, by what the row is about.

    This compares renderings of different versions of the package, whose layouts may differ: rows that only one of them
    has are not compared.

    Args:
        found: The rendering as it is.
        expected: The rendering that the installed version makes of the same JSON.
    """
    wanted = dict(_rows(expected))
    for about, figures in _rows(found):
        if about in wanted and wanted[about] != figures:
            yield f"{about}: expected {' '.join(wanted[about])}, found {' '.join(figures)}"


def _rows(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each row of a table as its words and its figures; the words are made unique by counting."""
    seen: dict[str, int] = {}
    for line in re.sub(r"(?s)</tr>", "\n", text).split("\n"):
        plain = html.unescape(re.sub(r"(?s)</?t[dh][^>]*>", "|", line)) if "<t" in line else line
        plain = re.sub(r"<[^>]*>", "", plain)
        figures = _FIGURE.findall(plain)
        if "|" not in plain or not figures:
            continue
        about = " ".join(re.sub(r"[^\w%|]+", " ", _FIGURE.sub(" ", plain)).replace("|", " ").split())
        seen[about] = seen.get(about, 0) + 1
        yield f"{about} ({seen[about]})" if seen[about] > 1 else about, figures
