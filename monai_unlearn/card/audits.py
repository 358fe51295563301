"""The audits as the card shows them: the headline of each, and what was not measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.audits import registered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Audits = Mapping[str, Mapping[str, Any]]

MEASURED = "measured"
NOTHING = "–"
_FORMS = {"share": ("{:.1f} %", "{:.1f}–{:.1f}", 100), "steps": ("{:.0f}", "{:.0f}–{:.0f}", 1)}
_PLAIN = ("{:.2f}", "{:.2f}–{:.2f}", 1)


def headlines(audits: Audits) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the name of the audit and the row for each row that people see."""
    for name, audit in audits.items():
        for row in audit["rows"]:
            if row["headline"] and row["revised"]["value"] is not None:
                yield name, row


def audit_cells(audits: Audits) -> list[list[str]]:
    """Return the cells of the card's table: audit, measure, subset, original, revised, retrained, place."""
    return [
        [
            name,
            row["measure"].replace("_", " "),
            (row["subset"] or "all").replace("_", " "),
            figure(row["original"], row["unit"]),
            figure(row["revised"], row["unit"]),
            span(row),
            row["place"] or NOTHING,
        ]
        for name, row in headlines(audits)
    ]


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


def described(audits: Audits) -> dict[str, str]:
    """Return what each measured audit shows, by its name."""
    known = registered()
    return {
        name: known[name].description for name, one in audits.items() if one["status"] == MEASURED and name in known
    }


def _times(factor: float, limits: list[float]) -> list[float]:
    return [factor * limit for limit in limits]
