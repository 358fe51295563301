"""What a section of the page is: a title, and what its template is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section.

    Attributes:
        name: Its id in the page, and the name of its template.
        title: Its heading, without its number.
        view: Returns what the template shows, from the difference alone. It picks and formats; it computes no figure.
    """

    name: str
    title: str
    view: Callable[[Mapping[str, Any]], Mapping[str, Any]]
