"""What `init-overlay` says of a bundle: what stops it, and what its user should know."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about a bundle.

    Attributes:
        code: A short name of its kind, for machines.
        what: What it is, and why it matters.
        do: What to do about it.
        stops: Whether the bundle cannot be revised before that is done.
    """

    code: str
    what: str
    do: str
    stops: bool = False

    def __str__(self) -> str:
        return f"{self.what} {self.do}".strip()


def problem(code: str, what: str, do: str) -> Finding:
    """Return a finding that stops.

    >>> str(problem("no_loader", "No transform reads a file.", "Add one."))
    'No transform reads a file. Add one.'
    """
    return Finding(code=code, what=what, do=do, stops=True)


def note(code: str, what: str, do: str = "") -> Finding:
    """Return a finding that does not stop."""
    return Finding(code=code, what=what, do=do)


def as_documents(findings: Iterable[Finding], *, stops: bool) -> list[dict[str, Any]]:
    """Return the findings that stop, or those that do not, as JSON has them."""
    return [
        {name: value for name, value in asdict(one).items() if name != "stops"}
        for one in findings
        if one.stops == stops
    ]
