"""Measures audits within a budget of seconds: the costlier ones are left out, with a reason, where it is spent."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.audits.figure import FAILED, Finding, skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monai_unlearn.evaluation.audits.audit import Audit, Audited

SHARE = 0.25
"""Audits may take this share of a run's seconds, their own included, unless `audit_share` says another."""


def check_share(share: float) -> None:
    """Refuse what is no share.

    Raises:
        ConfigError: It is not above 0 and at most 1.
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
        raise ConfigError(
            f"audit_share: expected the share of a run's seconds that audits may take, above 0 and at most 1, got "
            f"{share!r}. With 1, nothing is left out for want of time; audits: [] measures none."
        )


def allowance(seconds: float, share: float = SHARE) -> float:
    """Return what audits may take after so many seconds of a run, so that they are a share of the whole.

    Args:
        seconds: What the run has taken.
        share: In (0, 1]; with 1, they may take as long as they will.

    >>> allowance(30.0), allowance(30.0, 1)
    (10.0, inf)
    """
    return seconds * share / (1 - share) if share < 1 else math.inf


def measure_audits(
    audits: Sequence[Audit],
    audited: Audited,
    *,
    allowed: float,
    seconds_per_pass: float,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure audits in their order.

    What needs the table of predictions alone is always measured: it takes a second or so, and could be computed later.
    An audit of the networks is left out where its estimate exceeds what is left, and ends early by itself where the
    time is over. An error ends the audit, not the run, which may have taken days.

    Args:
        audits: Which, cheapest first.
        audited: What they look at.
        allowed: Seconds that they may take together; infinite without a limit.
        seconds_per_pass: Seconds that one image takes through the network, measured.
        clock: Returns seconds.

    Returns:
        What `metrics.json` holds of each audit by name, and of their cost: `allowed`, which is null without a
        limit, `seconds` and `by_audit`.
    """
    started, found, taken = clock(), {}, {}

    def left() -> float:
        return allowed - (clock() - started)

    audited = replace(audited, seconds_left=left)
    for audit in audits:
        began = clock()
        found[audit.name] = _finding(audit, audited, seconds_per_pass).to_dict()
        taken[audit.name] = round(clock() - began, 3)
    spent = {
        "allowed": round(allowed, 3) if math.isfinite(allowed) else None,
        "seconds": round(clock() - started, 3),
        "by_audit": taken,
    }
    return found, spent


def _finding(audit: Audit, audited: Audited, seconds_per_pass: float) -> Finding:
    if audit.cost is not None:
        if audited.networks is None:
            return skipped("It needs the networks themselves, and there is the table of predictions alone.")
        cost = audit.cost(audited)
        needed, left = cost.passes * seconds_per_pass + cost.seconds, audited.seconds_left()
        if needed > left:
            return skipped(
                f"It would take about {needed:.1f} s, and {max(left, 0.0):.1f} s are left of the share of the run's "
                "seconds that audits may take (audit_share)."
            )
    try:
        return audit.measure(audited)
    except Exception as error:  # noqa: BLE001 - whatever an audit meets, the run and its results are kept
        return Finding(status=FAILED, why=f"It ended with an error ({type(error).__name__}).")
