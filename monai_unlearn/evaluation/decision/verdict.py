"""The verdicts on a revision, what they rest on, and which of them promote a bundle."""

from __future__ import annotations

from enum import Enum

from monai_unlearn.errors import ExitCode


class Verdict(str, Enum):
    """What a decision says of a revised network; the words of `verdict` in `metrics.json`.

    `QUALIFIED` is given by a rehearsed protocol or a predicted target, never by `decide`.
    """

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    INCONCLUSIVE = "inconclusive"
    TARGET_UNDETERMINED = "target_undetermined"
    NOT_KNOWN = "not_known"
    QUALIFIED = "qualified"
    ERASED = "erased"
    NOT_ERASED = "not_erased"


class Basis(str, Enum):
    """What a verdict rests on: retrained networks, a rehearsed protocol, a predicted target, or none of these."""

    REFERENCE = "reference"
    PROTOCOL = "protocol"
    PREDICTED = "predicted"
    NONE = "none"


PROMOTING = frozenset({Verdict.EQUIVALENT, Verdict.QUALIFIED, Verdict.ERASED})


def promotes(verdict: str) -> bool:
    """Return whether a verdict promotes the revised bundle.

    Raises:
        ValueError: There is no such verdict.

    >>> [verdict.value for verdict in Verdict if promotes(verdict)]
    ['equivalent', 'qualified', 'erased']
    """
    return Verdict(verdict) in PROMOTING


def exit_code(verdict: str) -> ExitCode:
    """Return the exit code of a run with this verdict: 0 if it promotes, else 3.

    Raises:
        ValueError: There is no such verdict.
    """
    return ExitCode.DONE if promotes(verdict) else ExitCode.NOT_ACCEPTED
