"""A service that is stopped ends its run too, which goes on later from its checkpoint."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def stopped_by_signal() -> Iterator[None]:
    """Let SIGTERM end the block by `SystemExit(0)`, as Ctrl-C ends it by `KeyboardInterrupt`."""
    if threading.current_thread() is not threading.main_thread():  # where no handler can be set
        yield
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: object) -> NoReturn:  # noqa: ARG001 - the signature of a handler
    raise SystemExit(0)
