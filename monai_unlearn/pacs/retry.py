"""Asking again where a fault may pass: with waits that double, jitter, and the server's own wish for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from monai_unlearn.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

# Answers that ask for another attempt: timeout, too early, too many requests, and faults of a server or its proxy.
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_LONGEST_WAIT = 30.0
# A server may ask for more patience than that, but not for any.
_LONGEST_WISH = 120.0


class PassingFault(Exception):  # noqa: N818 - never seen outside this room
    """A request failed in a way that may pass.

    Args:
        what: What happened, as the rest of a sentence that begins with the request.
        wish: How long the server asks to wait, in seconds.
    """

    def __init__(self, what: str, *, wish: float | None = None) -> None:
        super().__init__(what)
        self.what, self.wish = what, wish


@dataclass(frozen=True)
class _Wait:
    """Waits as long as the server asks for, or with exponential backoff and jitter."""

    first: float

    def __call__(self, state: RetryCallState) -> float:
        wait = wait_exponential_jitter(multiplier=self.first, max=_LONGEST_WAIT, jitter=self.first)(state)
        fault = state.outcome.exception() if state.outcome else None
        wish = fault.wish if isinstance(fault, PassingFault) else None
        return wait if wish is None else max(min(wish, _LONGEST_WISH), wait)


class Patience(Protocol):
    """How often a server is asked again, with which first wait in seconds, and its name for messages."""

    @property
    def attempts(self) -> int:
        """How often a request is sent."""

    @property
    def wait(self) -> float:
        """The first wait, in seconds."""

    @property
    def server(self) -> str:
        """The name of the server."""


def patiently(ask: Callable[[], Answer], access: Patience, *, request: str) -> Answer:
    """Call a function until it does not raise `PassingFault`.

    Args:
        ask: Sends a request, and reads and checks its whole answer.
        access: How often, and with which waits.
        request: The request, as messages name it: without identifiers.

    Raises:
        ArchiveError: The last attempt failed too.
    """
    retrying = Retrying(
        stop=stop_after_attempt(access.attempts),
        wait=_Wait(access.wait),
        retry=retry_if_exception_type(PassingFault),
        reraise=True,
    )
    try:
        return retrying(ask)
    except PassingFault as fault:
        raise ArchiveError(
            f"{access.server}: {request} {fault.what}, {access.attempts} times in a row. Try again when the server is "
            "less busy, or ask who runs it; a pull continues where it stopped."
        ) from None
