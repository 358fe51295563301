"""Runs of one setting under several seeds, as one row of a comparison."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.decision import Verdict
from monai_unlearn.experiments.comparison_row import MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEANS = (
    *("forget_gap", "remain_gap", "remain_test_accuracy"),
    *("share_of_retraining", "share_with_references", "seconds"),
)
# From what forbids a deployment most to what allows it; a row is never kinder than any of its runs.
_LEAST_FAVOURABLE = (
    *(Verdict.DIFFERENT, Verdict.NOT_ERASED, Verdict.NOT_KNOWN, Verdict.TARGET_UNDETERMINED),
    *(Verdict.INCONCLUSIVE, Verdict.QUALIFIED, Verdict.EQUIVALENT, Verdict.ERASED),
)


def merged(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the rows of finished runs that differ in their seed alone as one row.

    Measures, gaps and costs are means. A measure keeps those of each run as `runs`, and an interval that holds all of
    theirs; `runs_of` has the gaps and costs of each run, by name. The verdict and its reasons are those of the least
    favourable run; `verdicts` has all, in order.

    Args:
        rows: At least one, as `comparison_row.finished` returns them; of a single one, that row is returned.

    >>> merged([{"verdict": "equivalent", "why": "near"}])
    {'verdict': 'equivalent', 'why': 'near'}
    """
    first, *others = rows
    if not others:
        return dict(first)
    worst = min(rows, key=lambda row: _LEAST_FAVOURABLE.index(Verdict(row["verdict"])))
    return {
        **first,
        **{name: _measure([row[name] for row in rows]) for name in MEASURES},
        **{name: _mean([row.get(name) for row in rows]) for name in MEANS},
        "runs_of": {name: [row.get(name) for row in rows] for name in MEANS},
        "classes": _classes([row["classes"] for row in rows]),
        "verdict": worst["verdict"],
        "why": worst["why"],
        "verdicts": [row["verdict"] for row in rows],
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _measure(found: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    known = [one for one in found if one is not None]
    if not known:
        return None
    intervals = [one["interval"] for one in known if one["interval"] is not None]
    lows, highs = zip(*intervals, strict=True) if intervals else ((), ())
    return {
        **known[0],
        "value": _mean([one["value"] for one in known]),
        "interval": [min(lows), max(highs)] if intervals else None,
        "runs": [None if one is None else one["value"] for one in found],
    }


def _classes(found: Sequence[Mapping[str, Mapping[str, float | None]]]) -> dict[str, dict[str, float | None]]:
    return {
        label: {**values, "revised": _mean([one[label].get("revised") for one in found if label in one])}
        for label, values in found[0].items()
    }
