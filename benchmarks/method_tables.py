"""The tables of methods that ran: which runs, resumes and repeats, and what PSG's labels are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markdown_tables import percent, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMES = {
    "psg": "PSG: across the boundary, by a search",
    "random_label": "`random_label`: a random other class",
    "delete": "`delete`: the runner-up on the clean image, no search",
    "remain_teacher": "`remain_teacher`: a reset copy trained on remain",
    "psg_remain": "`psg_remain`: PSG's search, labelled by such a copy",
    "reset": "`reset` of the last block: no label",
    "reset_auto": "`reset` with `depth: auto`: no label",
}
SHOWN = ("forget/train", "forget/test", "remain/test")
MISSING = "–"


def runs(document: Mapping[str, Any]) -> list[str]:
    """Return, for each method, whether it runs, resumes and repeats in every case, with verdict, cost and seconds.

    Args:
        document: The result of `every_method.py`.
    """
    cases = document["cases"]
    methods = sorted({name for rows in cases.values() for name in rows})
    heads = [
        "name",
        *(f"{case.replace('_', ' ')}: {what}" for case in cases for what in ("runs", "verdict", "cost", "s")),
    ]
    cells = [[f"`{name}`", *(cell for rows in cases.values() for cell in _ran(rows.get(name)))] for name in methods]
    return table(heads, cells, numbers=[number for number in range(1, len(heads)) if number % 4 in (3, 0)])


def _ran(row: Mapping[str, Any] | None) -> list[str]:
    if row is None:
        return [MISSING] * 4
    if not row["runs"]:
        return ["**no**", MISSING, MISSING, MISSING]
    lacks = [word for word in ("resumes", "repeats") if not row[word]]
    did = "runs, resumes, repeats" if not lacks else f"runs; **not: {', '.join(lacks)}**"
    budget = row["budget"]
    share = row["share_of_retraining"] if budget is None else budget["used"]
    cost = f"{percent(share)} %" if budget is None else f"{percent(share)} of {percent(budget['asked'], 0)} %"
    return [did, row["verdict"].replace("_", " "), cost, f"{row['seconds']:.0f}"]


def labellers(document: Mapping[str, Any]) -> list[str]:
    """Return how near each labeller comes to retrained networks, by cohort.

    Args:
        document: The result of `psg_ablation.py`.
    """
    heads = ["cohort", "labels", "rate", *(f"{subset.replace('/', ' ')}: KL, agreement" for subset in SHOWN)]
    return table(heads, _rows(document, "labellers", NAMES), numbers=range(2, len(heads)))


def grid(document: Mapping[str, Any]) -> list[str]:
    """Return the same of PSG's own settings, where they were tried."""
    heads = ["cohort", "PSG with", "rate", *(f"{subset.replace('/', ' ')}: KL, agreement" for subset in SHOWN)]
    tried = {"cases": {name: rows for name, rows in document["cases"].items() if rows["grid"]}}
    return table(heads, _rows(tried, "grid", {}), numbers=range(2, len(heads)))


def _rows(document: Mapping[str, Any], key: str, names: Mapping[str, str]) -> Iterator[list[str]]:
    for case, rows in document["cases"].items():
        cohort = case.replace("_", " ")
        for name in ("retrained", "original"):
            words = "retrained networks among themselves" if name == "retrained" else "the original"
            yield [cohort, words, "", *_distances(rows["floor"][name])]
        if key == "grid":
            yield [cohort, "the bundle's settings", *_tried(rows["labellers"]["psg"])]
        for name, trial in rows[key].items():
            yield [cohort, names.get(name, name), *_tried(trial)]


def _tried(trial: Mapping[str, Any]) -> list[str]:
    return [f"{trial['rate']:g}", *([MISSING] * len(SHOWN) if "failed" in trial else _distances(trial))]


def _distances(found: Mapping[str, Any]) -> list[str]:
    of = found["distances"]
    return [f"{of[one]['kl']:.2f}, {percent(of[one]['agreement'], 0)} %" if one in of else MISSING for one in SHOWN]
