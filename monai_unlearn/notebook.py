"""HTML that notebooks show: whatever comes from data is escaped, and nothing in it is run."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FRAME = "width: 100%; height: 70vh; border: 1px solid #8888"


def paragraph(text: object, *, bold: bool = False) -> str:
    """Return a text as a paragraph.

    >>> paragraph("a < b")
    '<p>a &lt; b</p>'
    """
    return f"<p><b>{_shown(text)}</b></p>" if bold else f"<p>{_shown(text)}</p>"


def items(texts: Iterable[object]) -> str:
    """Return texts as a list; an empty text where there are none."""
    rows = "".join(f"<li>{_shown(text)}</li>" for text in texts)
    return f"<ul>{rows}</ul>" if rows else ""


def table(title: str, headings: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with a caption; numbers get thousands separators."""
    head = "".join(f"<th>{_shown(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{_shown(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{_shown(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def framed(page: str) -> str:
    """Return a whole page in a frame of its own: its styles stay within it, and no script of it would run."""
    return f'<iframe sandbox="" style="{_FRAME}" srcdoc="{escape(escaped(page))}"></iframe>'


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return escape(escaped(f"{value:,}" if isinstance(value, int) else str(value)))
