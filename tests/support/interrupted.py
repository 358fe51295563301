"""What a user is told who interrupts an experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def assert_says_how_to_go_on(played: Any, invoke: Callable[[Any], Any]) -> None:
    """Interrupt the first run of an experiment that is played, and read what the command says.

    Args:
        played: A played sweep, rehearsal or comparison, whose runs call `play`.
        invoke: Calls the command on it.
    """

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    played.play = interrupt
    result = invoke(played)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.splitlines()[-1] == (
        "Interrupted. To go on, call the same command again: finished runs are kept."
    )
