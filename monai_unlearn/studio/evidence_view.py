"""What the Evidence page shows beside the card: confusion and the attack for every network, and history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from monai_unlearn.card.audits import MEASURED
from monai_unlearn.card.html.sections.real import NETWORKS
from monai_unlearn.card.html.table import Table, cells
from monai_unlearn.card.wording import words
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Document = Mapping[str, Any]


def confusions(diff: Document, bundle: Path) -> list[list[Table]]:
    """Return how often each class was predicted as each class, a list of tables for each subset of images.

    The networks are the original, the revised, and retrained ones where known.

    Args:
        diff: The card.
        bundle: The bundle. The evidence of its run lies beside it, where the run left it.
    """
    metrics = RunFolder(bundle.parent).metrics
    found = _read(metrics).get("confusion", {}) if metrics.is_file() else {}
    networks = found.get("networks", diff["confusion"]["networks"])
    names = list(map(words, diff["class_names"]))
    tables = [
        [
            _confusion(f"{_network(network)}: {_PLACES[part]} images, {split}", names, one)
            for network, places in networks.items()
            if not network.endswith("_recalibrated") and (one := places.get(part, {}).get(split))
        ]
        for part, split in (("forget", "train"), ("forget", "test"), ("remain", "test"))
    ]
    return list(filter(None, tables))


_PLACES = {"forget": "forgotten", "remain": "kept"}


def _confusion(caption: str, names: Sequence[str], found: Document) -> Table:
    return Table(
        caption=caption,
        headings=("true class (images)", *(f"predicted {name}" for name in names)),
        rows=[
            cells(f"{name} ({n:,})", *(f"{count:,}" for count in row))
            for name, n, row in zip(names, found["n"], found["counts"], strict=True)
        ],
    )


def attack(diff: Document) -> dict[str, Any] | None:
    """Return the curves of the membership attack, with what each threshold catches."""
    audit = diff["audits"].get("membership", {})
    roc = audit.get("facts", {}).get("roc") if audit.get("status") == MEASURED else None
    if not roc:
        return None
    curves = {_network(name): rates for name, rates in roc["true_positive_rates"].items()}
    rates = roc["false_positive_rates"]
    return {
        "rates": json.dumps(rates),
        "curves": [(name, json.dumps(values)) for name, values in curves.items()],
        "steps": len(rates) - 1,
    }


def history_table(document: Document) -> Table:
    """Return what a bundle forgot earlier, revision by revision."""
    rows = [
        cells(
            f"{one['base_version']} → {one['version']}",
            one["date"],
            one["cohort"],
            one["reason"].replace("_", " "),
            counted(one["images"]["forget"], "image"),
            counted(one["patients"]["forget"], "patient"),
            one["verdict"] or "–",
        )
        for one in document["revisions"]
    ]
    headings = ("version", "date", "cohort", "reason", "forgotten", "of", "verdict")
    return Table(caption="What this bundle forgot, revision by revision", headings=headings, rows=rows, texts=7)


def _network(name: str) -> str:
    kind, _, number = name.partition("_")
    return f"{NETWORKS[kind]} {number}".strip() if kind in NETWORKS else words(name)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
