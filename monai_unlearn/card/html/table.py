"""Tables of the page: cells that know where their figure comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: What it shows.
        key: Where its figure stands, as a JSON pointer: into `metrics.json` where that has it, else into the card's own
            JSON. None where it shows no figure.
        shade: How strongly it is coloured, from −4 to 4.
    """

    text: str
    key: str | None = None
    shade: int = 0


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; the first cell of each row is its heading.

    Attributes:
        caption: What it shows, different from that of any other table of the page.
        headings: The heading of each column.
        rows: The rows.
        texts: How many columns from the left hold texts; the others hold numbers, set to the right.
        tail: How many columns from the right hold texts.
    """

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    texts: int = 1
    tail: int = 0

    def is_text(self, column: int) -> bool:
        """Return whether a column, counted from 0, holds texts."""
        return column < self.texts or column >= len(self.headings) - self.tail


def cells(*values: str | Cell) -> list[Cell]:
    """Return a row; a text becomes a cell without a figure.

    >>> cells("a", Cell("1", "/n"))
    [Cell(text='a', key=None, shade=0), Cell(text='1', key='/n', shade=0)]
    """
    return [value if isinstance(value, Cell) else Cell(value) for value in values]
