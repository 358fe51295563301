"""Notes each step of a request in the ledger of the site, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.verdict import PROMOTING
from monai_unlearn.release.ledger import Event
from monai_unlearn.release.promote import user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.release.ledger import LedgerKey, Line
    from monai_unlearn.release.store import Store
    from monai_unlearn.watch.spool import Request

DAY = timedelta(hours=24)
_ACCEPTED = {one.value for one in PROMOTING}


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Writes lines about requests.

    Args:
        store: The store whose ledger it is.
        key: The private key that signs its lines.
        name: The name of the bundle.
        version: The version that is revised.
        protocol: The digest of the protocol.
    """

    store: Store
    key: LedgerKey
    name: str
    version: str
    protocol: str

    def note(
        self,
        event: str,
        request: Request,
        *,
        why: str | None = None,
        verdict: str | None = None,
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """Append a line about a request, unless it is there: a service that was killed comes by again."""
        if any(self._is_of(line, request) and line.event.event == event for line in self.store.ledger.lines()):
            return
        said = {"visit": request.visit, "protocol": self.protocol}
        said |= {"request": request.digest} if request.digest else {}
        self.store.ledger.append(
            Event(
                event=event,
                who=user(),
                name=self.name,
                version=self.version,
                digests={**said, **(digests or {})},
                verdict=verdict,
                why=why,
            ),
            self.key,
        )

    def started(self, *, but: Request) -> int:
        """Return how many runs began within the last 24 hours, without that of one request."""
        since = datetime.now(timezone.utc) - DAY
        lines = [line for line in self.store.ledger.lines() if line.event.event == "start"]
        return sum(datetime.fromisoformat(line.when) > since for line in lines if not self._is_of(line, but))

    def accepted(self) -> set[str]:
        """Return the visits of the requests whose runs were accepted, by this protocol."""
        return {
            line.event.digests["visit"]
            for line in self.store.ledger.lines()
            if line.event.event == "finish"
            and line.event.digests.get("protocol") == self.protocol
            and line.event.verdict in _ACCEPTED
        }

    @staticmethod
    def _is_of(line: Line, request: Request) -> bool:
        return line.event.digests.get("visit") == request.visit
