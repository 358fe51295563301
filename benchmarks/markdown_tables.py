"""Markdown tables, and figures as tables show them."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()) -> list[str]:
    """Return the lines of a table.

    Args:
        heads: The heading of each column.
        rows: The cells of each row, as text.
        numbers: The columns that are aligned to the right.
    """
    ruler = [" ---: " if column in numbers else " --- " for column in range(len(heads))]
    lines = [_line(heads), f"|{'|'.join(ruler)}|"]
    return [*lines, *(_line(row) for row in rows)]


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def percent(fraction: float, digits: int = 1) -> str:
    """Return a share in percent, without the sign."""
    return f"{100 * fraction:.{digits}f}"


def with_range(values: Sequence[float]) -> str:
    """Return the mean of several seeds with the lowest and the highest."""
    return f"{statistics.mean(values):.1f} ({min(values):.1f}–{max(values):.1f})"
