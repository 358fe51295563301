"""The audits as the card shows them: the headline of each, and what was not measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Audits = Mapping[str, Mapping[str, Any]]

MEASURED = "measured"
NOTHING = "–"
_FORMS = {"share": ("{:.1f} %", "{:.1f}–{:.1f}", 100), "steps": ("{:.0f}", "{:.0f}–{:.0f}", 1)}
_PLAIN = ("{:.2f}", "{:.2f}–{:.2f}", 1)


def figure(measured: Mapping[str, Any], unit: str) -> str:
    """Format a figure with its interval: a share as `52.1 % (47.0–57.3)`, others plainly, as `1.08 (0.78–1.63)`."""
    if measured["value"] is None:
        return NOTHING
    form, interval, factor = _FORMS.get(unit, _PLAIN)
    brackets = "" if measured["interval"] is None else f" ({interval.format(*_times(factor, measured['interval']))})"
    return f"{form.format(factor * measured['value'])}{brackets}"


def span(row: Mapping[str, Any]) -> str:
    """Format the range of the retrained networks, or the value of the only one."""
    known = [one["value"] for one in row["retrained"] if one["value"] is not None]
    form, interval, factor = _FORMS.get(row["unit"], _PLAIN)
    if row["retrained_range"] is not None:
        return interval.format(*_times(factor, row["retrained_range"]))
    return form.format(factor * known[0]) if known else NOTHING


def audits_not_measured(audits: Audits) -> list[str]:
    """Return a line for each audit that was not measured, with why, and for headlines that have no figure."""
    lines = [f"{name}: {audit['why']}" for name, audit in audits.items() if audit["status"] != MEASURED]
    for name, audit in audits.items():
        lines += [
            f"{name}, {row['measure'].replace('_', ' ')}: {row['why']}"
            for row in audit["rows"]
            if row["headline"] and row["revised"]["value"] is None and row["why"]
        ]
    return list(dict.fromkeys(lines))


def _times(factor: float, limits: list[float]) -> list[float]:
    return [factor * limit for limit in limits]
