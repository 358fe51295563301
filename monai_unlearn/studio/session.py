"""Who may use a studio: whoever has the link that it prints, from then on by a cookie; and what each act must bring."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

_BYTES = 32
_MOST_TICKETS = 500


def _secret() -> str:
    return secrets.token_urlsafe(_BYTES)


def same(given: str | None, expected: str) -> bool:
    """Compare two secrets in the same time, however alike they are."""
    return hmac.compare_digest((given or "").encode(), expected.encode())


@dataclass(frozen=True)
class Session:
    """The secrets of one run of a studio; they are kept in memory and end with it.

    Attributes:
        token: What the printed link holds; it is exchanged for the cookie, and is no good for anything else.
        cookie: What the browser sends with each request.
        form: What each form must bring: a page of another site cannot read it.
    """

    token: str = field(default_factory=_secret, repr=False)
    cookie: str = field(default_factory=_secret, repr=False)
    form: str = field(default_factory=_secret, repr=False)
    _tickets: OrderedDict[str, str] = field(default_factory=OrderedDict, repr=False)

    def ticket(self, act: str) -> str:
        """Return what allows one act, once: the same form sent again, or to another address, does nothing.

        Args:
            act: The address of the act, such as `/release/sign`.
        """
        found = _secret()
        self._tickets[found] = act
        while len(self._tickets) > _MOST_TICKETS:
            self._tickets.popitem(last=False)
        return found

    def use_ticket(self, ticket: str, act: str) -> bool:
        """Return whether a ticket is good for an act, and use it up."""
        return self._tickets.pop(ticket, None) == act
