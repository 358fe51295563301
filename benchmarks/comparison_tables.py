"""Tables of `method_comparison.py`: each method on each cohort, and what the default reaches of what is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markdown_tables import percent, table
from seeded_rows import mean_of, value_of, verdicts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MISSING = "–"
DEFAULT = "default"
# Whose grid of settings is shown whole.
GRID = "shrink_perturb"


def screen(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a row for each method, by the mean rank on validation images, with four figures for each cohort.

    Args:
        documents: The results of the first stage, one for each cohort.
    """
    names = sorted({row["method"] for one in documents for row in one["rows"]})
    rows = {(one["title"], row["method"]): row for one in documents for row in one["rows"]}
    ranks = {name: _mean_rank(name, documents) for name in names}
    heads = ["method", "mean rank"]
    for one in documents:
        heads += [f"{one['title']}: verdict", "distance", "recall gap", "remain"]
    cells = [
        [f"`{name}`", f"{ranks[name]:.1f}"]
        + [cell for one in documents for cell in _screened(rows.get((one["title"], name)))]
        for name in sorted(names, key=lambda name: (ranks[name], name))
    ]
    return table(heads, cells, numbers=[number for number in range(1, len(heads)) if (number - 2) % 4])


def _mean_rank(name: str, documents: Sequence[Mapping[str, Any]]) -> float:
    """Return the mean place of a method by its objective on validation images; one that failed is last."""
    places = []
    for one in documents:
        ordered = sorted(one["rows"], key=lambda row: row.get("objective", float("inf")))
        places += [place for place, row in enumerate(ordered, 1) if row["method"] == name]
    return sum(places) / len(places)


def _screened(row: Mapping[str, Any] | None) -> list[str]:
    if row is None:
        return [MISSING] * 4
    if row["status"] != "finished":
        return ["does not run", MISSING, MISSING, MISSING]
    return [
        row["verdict"].replace("_", " "),
        number(value_of(row, "distance_ratio")),
        points(value_of(row, "recall_gap_forget_test")),
        points(row.get("remain_gap"), signed=True),
    ]


def final(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, for each cohort, original and budget, every method by its objective on validation images.

    *Tried* is how many settings validation images chose from, where the row lists them.
    """
    heads = ["cohort", "original", "budget", "method", "verdict", "distance", "raw", "recall gap: forget train"]
    heads += ["forget test", "remain test", "remain", "agreement", "AUC", "cost", "settings", "tried"]
    cells = [
        [one["title"], row["original"], f"{percent(row['budget'], 0)} %", f"`{row['method']}`", *_finished(row)]
        for one in documents
        for row in one["rows"]
    ]
    return table(heads, cells, numbers=(1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15))


def _finished(row: Mapping[str, Any]) -> list[str]:
    if row["status"] != "finished":
        why = row["why"].partition(". ")[0].removeprefix("a run refused its input: ")
        return ["does not run", *[MISSING] * 9, why, MISSING]
    return [
        row["verdict"].replace("_", " "),
        number(value_of(row, "distance_ratio")),
        number(value_of(row, "distance_ratio_raw")),
        *(points(value_of(row, f"recall_gap_{subset}")) for subset in ("forget_train", "forget_test", "remain_test")),
        points(row.get("remain_gap"), signed=True),
        number(value_of(row, "agreement")),
        number(value_of(row, "membership_auc")),
        f"{percent(row['share_of_retraining'])} %",
        _settings(row) or MISSING,
        str(len(row["tried"])) if row.get("tried") else MISSING,
    ]


def side_by_side(documents: Sequence[Mapping[str, Any]], *, methods: Sequence[str], budget: float) -> list[str]:
    """Return, for each cohort, the original, the retrained networks and some methods at one budget.

    Of the retrained networks it shows the lowest and highest among themselves, of a method the mean over its runs.

    Args:
        documents: The results of the final stage, or what `seeded_rows.joined` returns.
        methods: The methods, in the order of the rows.
        budget: The share of retraining's gradients.
    """
    heads = ["network", "distance", "recall gap: forget train", "forget test", "remain test", "remain", "verdict"]
    cells: list[list[str]] = []
    for one in documents:
        rows = {row["method"]: row for row in one["rows"] if row["budget"] == budget and row["original"] == 0}
        measured = next(row for row in rows.values() if row["status"] == "finished")
        cells += [
            [f"*{one['title']}*", *[""] * 6],
            ["original", *(_shown(measured[name]["original"], name) for name in _BESIDE), "", ""],
            ["**retrained**", *(f"**{_apart(measured[name]['retrained'], name)}**" for name in _BESIDE), "", ""],
            *([f"`{name}`", *_beside(rows[name])] for name in methods if name in rows),
        ]
    return table(heads, cells, numbers=range(1, 6))


_BESIDE = ("distance_ratio", *(f"recall_gap_{subset}" for subset in ("forget_train", "forget_test", "remain_test")))


def _beside(row: Mapping[str, Any]) -> list[str]:
    if row["status"] != "finished":
        return [*[MISSING] * 5, "does not run"]
    measures = [_shown(mean_of(row, name), name) for name in _BESIDE]
    verdicts = ", ".join(f"`{one}`" for one in verdicts_of(row))
    return [*measures, points(mean_of(row, "remain_gap"), signed=True), verdicts]


def _shown(value: float | None, name: str) -> str:
    return number(value) if name == _BESIDE[0] else points(value)


def _apart(values: Sequence[float], name: str) -> str:
    return f"{_shown(min(values), name)}–{_shown(max(values), name)}"


def grid(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the objective on validation images of every setting that a method tried, by cohort; smaller is better.

    Args:
        documents: The results of the final stage; what its rows of `shrink_perturb` tried is shown, and the default.
    """
    rows = [(one, row) for one in documents for row in one["rows"] if row["method"] == GRID and row.get("tried")]
    settings = sorted({_settings(trial) for _, row in rows for trial in row["tried"]})
    cells = []
    for one, row in rows:
        found = {_settings(trial): trial["objective"] for trial in row["tried"]}
        lowest = min(value for value in found.values() if value is not None)
        figures = [number(found.get(name), digits=3) for name in settings]
        marked = [
            f"**{text}**" if found.get(name) == lowest else text for name, text in zip(settings, figures, strict=True)
        ]
        beside = (other for other in one["rows"] if other["method"] == DEFAULT)
        own = next((other for other in beside if _place(other) == _place(row)), {})
        default = number(own.get("objective"), digits=3)
        cells.append([one["title"], row["original"], f"{percent(row['budget'], 0)} %", *marked, default])
    return table(["cohort", "original", "budget", *settings, DEFAULT], cells, numbers=range(1, len(settings) + 4))


def _place(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["original"], row["budget"]


def _settings(one: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.rpartition('::')[2]} {value}" for key, value in one["settings"].items())


def number(value: float | None, *, digits: int = 2) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def points(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return MISSING
    return f"{100 * value:+.1f}" if signed else f"{100 * value:.1f}"
