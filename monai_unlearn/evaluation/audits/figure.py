"""What an audit measures: figures with intervals, in rows that set the networks side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Interval = tuple[float, float]
ALL = "all"
"""All classes together."""
SHOWN = ("forget_train", "forget_test", "remain_test")
"""The subsets whose rows the card shows."""
MEASURED, NOT_MEASURABLE, SKIPPED, FAILED = "measured", "not_measurable", "skipped", "failed"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number, and its interval at 95 % if there is one.

    >>> Figure(value=0.5, interval=(0.4, 0.6)).to_dict()
    {'value': 0.5, 'interval': [0.4, 0.6]}
    >>> Figure(value=float("inf")).to_dict()
    {'value': None, 'interval': None}
    """

    value: float | None = None
    interval: Interval | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; JSON has neither infinity nor NaN, so such a number counts as not measured."""
        if self.value is None or not math.isfinite(self.value):
            return {"value": None, "interval": None}
        known = self.interval is not None and all(math.isfinite(limit) for limit in self.interval)
        return {"value": self.value, "interval": list(self.interval) if self.interval and known else None}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measure of the original, the revised and each retrained network.

    Attributes:
        measure: What is measured, such as `auc_loss`.
        subset: On which images, such as `forget_test`; None where the measure is about several.
        label: Of which true class; `all` for all together.
        original: The network to revise.
        revised: The revised network.
        retrained: Each retrained network that counts, in their order; measured against the others where the measure
            compares with retrained networks.
        unit: How people read it: `share`, `ratio`, `nats` or `steps`.
        headline: Whether the card shows it.
        why: Why there is no figure, where there is none.
    """

    measure: str
    subset: str | None
    label: str = ALL
    original: Figure = field(default_factory=Figure)
    revised: Figure = field(default_factory=Figure)
    retrained: tuple[Figure, ...] = ()
    unit: str = "share"
    headline: bool = False
    why: str | None = None

    @property
    def range(self) -> Interval | None:
        """The smallest and largest value of the retrained networks; None where fewer than two are measured."""
        known = [one.value for one in self.retrained if one.value is not None and math.isfinite(one.value)]
        return (min(known), max(known)) if len(known) > 1 else None

    @property
    def place(self) -> str | None:
        """Where the revised value lies: `below`, `within` or `above` the retrained networks' own range."""
        if self.range is None or self.revised.to_dict()["value"] is None:
            return None
        low, high = self.range
        value = float(self.revised.value or 0.0)
        return "below" if value < low else "above" if value > high else "within"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "measure": self.measure,
            "subset": self.subset,
            "class": self.label,
            "unit": self.unit,
            "original": self.original.to_dict(),
            "revised": self.revised.to_dict(),
            "retrained": [one.to_dict() for one in self.retrained],
            "retrained_range": None if self.range is None else list(self.range),
            "place": self.place,
            "headline": self.headline,
            "why": self.why,
        }


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one audit found.

    Attributes:
        status: `measured`, `not_measurable` (the images or networks that it needs do not exist), `skipped` (it would
            take longer than audits may), or `failed` (an error).
        rows: Its figures.
        facts: What else belongs to them: numbers of images, settings, what was chosen.
        why: Why it was not measured.
    """

    status: str = MEASURED
    rows: tuple[Row, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    why: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what `metrics.json` holds of it."""
        return {
            "status": self.status,
            "why": self.why,
            "facts": dict(self.facts),
            "rows": [row.to_dict() for row in self.rows],
        }


def not_measurable(why: str) -> Finding:
    """Return the finding of an audit whose images or networks do not exist."""
    return Finding(status=NOT_MEASURABLE, why=why)


def skipped(why: str) -> Finding:
    """Return the finding of an audit for which there was no time."""
    return Finding(status=SKIPPED, why=why)
