"""What a pull needs of an image archive, whatever protocol it speaks."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.pacs.study_query import StudyQuery

Item = dict[str, Any]
# Images arrive days after their study's date: these days are asked for again.
OVERLAP = dt.timedelta(days=30)


@dataclass(frozen=True)
class Asked:
    """Which studies a pull has to look at.

    Attributes:
        how: `all`; `changes`, if the archive itself says what has changed; `window`, if only recent days are asked for.
        cursor: What the next pull passes on.
        studies: The studies that may have changed, where the archive says so.
        since: The first day that is asked for; null for all.
        new: The studies that are known to have received instances, each with what tells this change from earlier ones.
    """

    how: str
    cursor: Mapping[str, Any]
    studies: frozenset[str] | None = None
    since: dt.date | None = None
    new: Mapping[str, int] = field(default_factory=dict)


def asked_since(cursor: Mapping[str, Any] | None, today: dt.date) -> Asked:
    """Return which studies an archive that does not tell its changes is asked for: those of recent days.

    Args:
        cursor: What the last pull passed on; null where there was none.
        today: The day of this pull.
    """
    day = {"day": today.isoformat()}
    with suppress(KeyError, TypeError, ValueError):
        if cursor is not None:
            return Asked("window", day, since=dt.date.fromisoformat(str(cursor["day"])) - OVERLAP)
    return Asked("all", day)


class Archive(Protocol):
    """An image archive. Its methods raise `ArchiveError` where it fails, refuses, or returns part of what it has."""

    @property
    def name(self) -> str:
        """The protocol and address, as `index.json` states them; no secret is in it."""

    @property
    def server(self) -> str:
        """The name of the server for messages."""

    @property
    def tells_pixels(self) -> bool:
        """Whether the metadata of an image with pixels names them."""

    def asked(self, cursor: Mapping[str, Any] | None) -> Asked:
        """Return which studies may have changed since a cursor; all of them if it is null."""

    def studies(self, query: StudyQuery) -> Iterator[Item]:
        """Yield the studies of a query; two patients' halves of one study are two."""

    def study(self, uid: str) -> list[Item]:
        """Return one study, as `studies` yields it; an empty list if it is gone."""

    def metadata(self, study: str, *, expected: int | None) -> list[Item] | None:
        """Return the metadata of all instances of a study; null if it is gone."""

    def traffic(self) -> Mapping[str, int]:
        """Return how many `requests` were sent, and how many `bytes` were received."""
