"""The tables of `forget_sequence.py`: what is left at the end, what comes back on the way, and what it costs."""

from __future__ import annotations

from collections import Counter
from statistics import mean
from typing import TYPE_CHECKING, Any

from markdown_tables import percent, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Row = dict[str, Any]

REMAIN = "remain"
COHORTS = {
    "station": "an unread station",
    "class": "a class",
    "patients": "patients who withdrew",
    REMAIN: "remain",
}
METHODS = {"default": "default", "finetune": "fine-tuning", "psg": "PSG"}
KINDS = {"steps": "in steps", "joint": "at once", "joint_for_as_much": "at once, for as much"}
VERDICTS = {"target_undetermined": "undetermined"}


def ends(result: Row) -> list[str]:
    """Return recall and distance of every cohort after the last step, beside one retraining without all of them."""
    columns = {
        f"{METHODS[method]}, {words}": [_last(row, kind) for row in rows.values()]
        for method, rows in result["methods"].items()
        for kind, words in kinds(rows)
    }
    cells = []
    for cohort, split in _subsets(result):
        found = {name: [row["cohorts"][cohort][split] for row in rows] for name, rows in columns.items()}
        before = percent(mean(_originals(result, cohort, split)), 0)
        retrained = _retrained(next(iter(found.values()))[0])
        cells.append([f"{COHORTS[cohort]}, {split}", before, retrained, *map(_cell, found.values())])
    heads = ["", "original", "retrained once", *columns]
    return table(heads, cells, numbers=range(1, len(heads)))


def returns(result: Row) -> list[str]:
    """Return the gap to the retrained networks of each step, of every cohort forgotten so far, on training images."""
    steps = list(result["cohorts"])
    cells = [
        [COHORTS[cohort], words, *(_gaps(rows, cohort, step) for step in steps)]
        for cohort in steps[:-1]
        for words, rows in ways(result).items()
    ]
    heads = ["forgotten", "by", *(f"after step {number}" for number in range(1, len(steps) + 1))]
    return table(heads, cells, numbers=range(2, len(heads)))


def costs(result: Row) -> list[str]:
    """Return verdicts and costs of the steps and of revisions of all cohorts at once."""
    once, each = retrainings(result)
    cells = []
    for method, rows in result["methods"].items():
        for kind, words in kinds(rows):
            runs = [list(row["steps"].values()) if kind == "steps" else [row[kind]] for row in rows.values()]
            spent = mean(sum(run["gradients"] for run in one) for one in runs)
            verdicts = "; ".join(_verdicts(one) for one in zip(*runs, strict=True))
            cells.append([f"{METHODS[method]}, {words}", verdicts, percent(spent / once, 0), percent(spent / each, 0)])
    heads = ["", "verdicts, step by step", "% of one retraining", "% of a retraining for each step"]
    return table(heads, cells, numbers=(2, 3))


def gap(row: Mapping[str, Any]) -> float:
    """Return the recall of the revised network less that of the retrained ones on average, in points."""
    return 100 * (float(row["after"]) - mean(row["retrained"]))


def retrainings(result: Mapping[str, Any]) -> tuple[int, int]:
    """Return the gradient evaluations of one retraining without all cohorts, and of one after each step."""
    found = list(result["retraining_gradients"].values())
    return found[-1], sum(found)


def kinds(rows: Mapping[str, Row]) -> list[tuple[str, str]]:
    """Return what a method did of `KINDS`, under every original alike."""
    return [(kind, words) for kind, words in KINDS.items() if all(kind in row for row in rows.values())]


def _subsets(result: Row) -> list[tuple[str, str]]:
    return [(cohort, split) for cohort in [*result["cohorts"], REMAIN] for split in ("train", "test")]


def _last(row: Row, kind: str) -> Row:
    return list(row["steps"].values())[-1] if kind == "steps" else row[kind]


def _originals(result: Row, cohort: str, split: str) -> list[float]:
    rows = next(iter(result["methods"].values())).values()
    return [row["joint_for_as_much"]["cohorts"][cohort][split]["before"] for row in rows]


def _retrained(row: Row) -> str:
    recalls, distances = row["retrained"], row["distance"]["retrained"]
    recall = (
        f"{percent(min(recalls), 0)}–{percent(max(recalls), 0)}" if len(set(recalls)) > 1 else percent(recalls[0], 0)
    )
    return f"{recall} · {min(distances):.1f}–{max(distances):.1f}"


def _cell(rows: Iterable[Row]) -> str:
    rows = list(rows)
    recall, distance = mean(row["after"] for row in rows), mean(row["distance"]["after"] for row in rows)
    return f"{percent(recall, 0)} · {distance:.1f}"


def ways(result: Row) -> dict[str, list[Row]]:
    """Return, by method and with or without lineage, what each original's steps measured, by step and cohort."""
    found: dict[str, list[Row]] = {}
    for method, rows in result["methods"].items():
        steps = [{name: step["cohorts"] for name, step in row["steps"].items()} for row in rows.values()]
        found[METHODS[method]] = steps
        if all("without_lineage" in row for row in rows.values()):
            bare = [{**own, **row["without_lineage"]} for own, row in zip(steps, rows.values(), strict=True)]
            found[f"{METHODS[method]}, without lineage"] = bare
    return found


def _gaps(rows: Iterable[Row], cohort: str, step: str) -> str:
    found = [row[step][cohort]["train"] for row in rows if cohort in row[step]]
    if not found:
        return ""
    return f"{mean(map(gap, found)):+.0f} · {mean(one['distance']['after'] for one in found):.1f}".replace("-", "−")


def _verdicts(runs: Iterable[Row]) -> str:
    counted = Counter(VERDICTS.get(run["verdict"], run["verdict"]) for run in runs)
    return ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
