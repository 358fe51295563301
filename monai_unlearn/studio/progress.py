"""How far a revision is, by what it printed last."""

from __future__ import annotations

import re
from typing import Any

_LINE = re.compile(r"(?P<what>[A-Z][\w ]{0,40}): step (?P<step>\d{1,9})/(?P<total>\d{1,9})(?P<more>[^\n]*)")


def progress_of(log: str) -> dict[str, Any] | None:
    r"""Return how far it is: `step` of `total`, and the line in words; None before the first step.

    >>> progress_of("Reading images\nUnlearning: step 3/10, forget, loss 0.2, 0:00:07 left\n")
    {'step': 3, 'total': 10, 'text': 'Unlearning: step 3 of 10, forget, loss 0.2, 0:00:07 left'}

    Args:
        log: The end of what it printed.
    """
    found = [line for line in map(_LINE.fullmatch, map(str.strip, log.splitlines())) if line]
    if not found:
        return None
    last = found[-1]
    step, total = int(last["step"]), int(last["total"])
    return {
        "step": min(step, total),
        "total": total,
        "text": f"{last['what']}: step {step:,} of {total:,}{last['more']}",
    }
