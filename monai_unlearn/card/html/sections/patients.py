"""What it costs patients: how the images of patients to come are read, by class and subgroup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.plots.dots import Dot, Strip, dot_plot
from monai_unlearn.card.html.plots.forest import Line, forest_plot
from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Cell, Table, cells
from monai_unlearn.card.trace import metric_pointer, pointer, subgroup_pointer
from monai_unlearn.card.wording import difference, estimate, networks_range, title, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Document = Mapping[str, Any]

PLACE = ("remain", "test")
BY_CLASS = ("sensitivity", "specificity", "false_negatives")
WITHOUT_HEALTHY = ("accuracy",)
OVERALL = ("accuracy", "balanced_accuracy", "auroc")
CALIBRATION = ("calibration_error", "brier_score", "log_loss")
SLICES = {"sex": "sex ", "age_band": "age ", "device": "device ", "site": ""}
SHADES = 4
HALF = 0.5


def view(diff: Document) -> dict[str, Any]:
    """Return plots and tables of the remain part's test images."""
    by_class = list(_rows(diff, BY_CLASS)) or list(_rows(diff, WITHOUT_HEALTHY))
    plotted = [row for row in by_class if row["class"] != "all" and row["metric"] != "false_negatives"]
    subgroups = _subgroups(diff)
    return {
        "plot": _plot(plotted),
        "table": _table(diff, by_class, "Sensitivity, specificity and false negatives, with 95 % intervals"),
        "overall": _table(diff, list(_rows(diff, OVERALL, whole=True)), "All classes together"),
        "calibration": _table(diff, list(_rows(diff, CALIBRATION, whole=True)), "Calibration: lower is better"),
        "confusion": _confusion(diff),
        "forest": _forest(list(subgroups.values())),
        "subgroups": _subgroup_table(subgroups) if subgroups else None,
        "subgroup_metric": _title(subgroups) if subgroups else None,
        "left_out": diff["subgroups"]["left_out"],
        "not_finite": diff["subgroups"]["not_finite"],
        "descriptions": {title(name): diff["metric_info"][name]["description"] for name in (*BY_CLASS, *CALIBRATION)},
    }


def _rows(diff: Document, metrics: Sequence[str], *, whole: bool = False) -> Iterator[Document]:
    for name in metrics:
        for row in diff["metrics"]:
            is_there = (row["metric"], row["part"], row["split"]) == (name, *PLACE)
            if is_there and row["before"]["value"] is not None and (not whole or row["class"] == "all"):
                yield row


def _plot(rows: Sequence[Document]) -> Any:  # noqa: ANN401 - markup, or None
    if not rows:
        return None
    strips = [
        Strip(
            heading=words(row["class"]),
            note=f"{words(row['metric'])}; {row['n']} images",
            dots=[
                Dot(kind="original", name="original", value=row["before"]["value"], interval=row["before"]["interval"]),
                Dot(kind="revised", name="revised", value=row["after"]["value"], interval=row["after"]["interval"]),
                *(
                    Dot(kind="retrained", name=f"retrained {number}", value=one["value"], interval=one["interval"])
                    for number, one in enumerate(row["retrained"], start=1)
                ),
            ],
        )
        for row in rows
    ]
    return dot_plot(strips, name="patients-plot", title="Sensitivity and specificity by class and network")


def _table(diff: Document, rows: Sequence[Document], caption: str) -> Table:
    headings = ("measure", "class", "images", "original", "revised", "retrained", "change")
    found = []
    for row in rows:
        percent = diff["metric_info"][row["metric"]]["percent"]
        found.append(
            cells(
                title(row["metric"]),
                words(row["class"]),
                Cell(f"{row['n']:,}", metric_pointer(row, "n")),
                Cell(estimate(row["before"], percent=percent), metric_pointer(row, "before")),
                Cell(estimate(row["after"], percent=percent), metric_pointer(row, "after")),
                networks_range(row["retrained"], percent=percent),
                Cell(difference(row["change"], percent=percent), metric_pointer(row, "change")),
            )
        )
    return Table(caption=caption, headings=headings, rows=found, texts=2)


def _confusion(diff: Document) -> Table | None:
    """Return by how many points each true class is predicted as each class more or less often than before."""
    found = diff["confusion"]["change"].get(PLACE[0], {}).get(PLACE[1])
    if found is None:
        return None
    names = [words(name) for name in found["classes"]]
    rows = []
    for number, (name, shares) in enumerate(zip(names, found["shares"], strict=True)):
        if shares is not None:
            at = ("confusion", "change", *PLACE, "shares", number)
            rows.append(
                cells(
                    f"{name} ({found['n'][number]})",
                    *(_shaded(one, pointer(*at, column)) for column, one in enumerate(shares)),
                )
            )
    return Table(
        caption="Confusion: change in points of how often each true class (row) is predicted as each class (column)",
        headings=("true class (images)", *(f"predicted {name}" for name in names)),
        rows=rows,
    )


def _shaded(value: float, key: str) -> Cell:
    strength = min(SHADES, round(abs(value) * 20))  # a shade for every five points
    return Cell(f"{100 * value:+.1f}", key, shade=strength if value > 0 else -strength)


def _subgroups(diff: Document) -> dict[int, Document]:
    """Return the rows of one metric by their numbers."""
    rows = diff["subgroups"]["rows"]
    metric = "sensitivity" if any(row["metric"] == "sensitivity" for row in rows) else "accuracy"
    return {number: row for number, row in enumerate(rows) if row["metric"] == metric}


def _forest(rows: Sequence[Document]) -> Any:  # noqa: ANN401 - markup, or None
    if not rows:
        return None
    lines = [
        Line(
            name=f"{SLICES[row['slice']]}{row['value']}",
            note=f"{row['patients']} patients",
            original=row["before"]["value"],
            revised=row["after"]["value"],
            interval=row["after"]["interval"],
            retrained=_span(row["retrained"]),
        )
        for row in rows
    ]
    smallest = min(map(_smallest, lines))
    return forest_plot(lines, name="forest", title="By subgroup and network", lowest=HALF if smallest >= HALF else 0.0)


def _smallest(line: Line) -> float:
    known = (line.original, line.revised, *(line.interval or ()), *(line.retrained or ()))
    return min((value for value in known if value is not None), default=0.0)


def _span(networks: Sequence[Document]) -> tuple[float, float] | None:
    known = [one["value"] for one in networks if one["value"] is not None]
    return (min(known), max(known)) if known else None


def _title(rows: Mapping[int, Document]) -> str:
    return title(next(iter(rows.values()))["metric"])


def _subgroup_table(rows: Mapping[int, Document]) -> Table:
    return Table(
        caption=f"{_title(rows)} by subgroup, with 95 % intervals",
        headings=("subgroup", "images", "patients", "original", "revised", "retrained"),
        rows=[
            cells(
                f"{SLICES[row['slice']]}{row['value']}",
                *(
                    Cell(form(row[name]), subgroup_pointer(row, name, number=number))
                    for form, names in (("{:,}".format, ("n", "patients")), (estimate, ("before", "after")))
                    for name in names
                ),
                networks_range(row["retrained"]),
            )
            for number, row in rows.items()
        ],
    )


PATIENTS = Section(name="patients", title="What it costs patients", view=view)
