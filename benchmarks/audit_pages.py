"""The tables of audits, from the results of `audit_tables.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markdown_tables import table

from monai_unlearn.card.audits import NOTHING, figure, span

if TYPE_CHECKING:
    from collections.abc import Sequence

# What the table in the documentation shows of each cohort; the page beside the results shows every headline.
SHOWN = (
    ("auc_loss", "forget_train", "membership, AUC of the loss"),
    ("auc_iam", "forget_train", "membership, AUC of IAM"),
    ("linear_both", "forget_held_out", "linear probe of both parts"),
    ("linear_remain", "forget_held_out", "linear probe of remain"),
    ("distance_ratio_equally_sure", "forget_train", "distance ratio, forget train"),
    ("distance_ratio_equally_sure", "remain_test", "distance ratio, remain test"),
    ("ain_probability", "forget_train", "relearning, AIN"),
    ("tug_of_war", None, "Tug-of-War"),
)


def audit_table(rows: Sequence[dict[str, Any]], *, shown: Sequence[tuple[str, str | None, str]] = ()) -> list[str]:
    """Return the lines of a table: of each cohort every measure, with a column for the revised network of each method.

    Args:
        rows: What was measured.
        shown: Measure, subset and title of each line; every headline by default.
    """
    cells: list[list[str]] = []
    methods = list(dict.fromkeys(row["method"] for row in rows))
    for case in dict.fromkeys(row["case"] for row in rows):
        of_case = {row["method"]: row for row in rows if row["case"] == case}
        found = {
            method: {(one["measure"], one["subset"]): one for one in row["headlines"]}
            for method, row in of_case.items()
        }
        keys = list(dict.fromkeys(key for one in found.values() for key in one))
        plan = shown or [(*key, " ".join(filter(None, key)).replace("_", " ")) for key in keys]
        title = next(iter(of_case.values()))["title"]
        for measure, subset, label in plan:
            lines = [found.get(method, {}).get((measure, subset)) for method in methods]
            known = next((line for line in lines if line), None)
            if known is not None:
                revised = [NOTHING if line is None else figure(line["revised"], line["unit"]) for line in lines]
                cells.append([title, label, figure(known["original"], known["unit"]), span(known), *revised])
                title = ""
        verdicts = [of_case[one]["verdict"].replace("_", " ") if one in of_case else NOTHING for one in methods]
        cells.append([title, "verdict", "", "", *verdicts])
    heads = ["cohort", "audit", "original", "retrained", *(f"revised: {method}" for method in methods)]
    return table(heads, cells, numbers=range(2, len(heads)))


def page(document: dict[str, Any]) -> str:
    """Return the page of every headline, and what was not measured."""
    source = (
        "Made by `benchmarks/audit_tables.py`, one seed. In brackets 95 % intervals, patients as units; *retrained* is "
        "the range of the retrained networks, each measured against the others."
    )
    rows = document["rows"]
    missing = [
        f"- {row['title']}, {row['method']}, {name}: {why}" for row in rows for name, why in row["not_measured"].items()
    ]
    lines = ["# Audits: original, retrained, revised", "", source, "", *audit_table(rows), ""]
    return "\n".join([*lines, *(["Not measured:", "", *missing, ""] if missing else [])])
