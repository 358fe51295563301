"""The table of `hidden_reference.py`: how many revisions that a protocol qualifies are different from retraining?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markdown_tables import percent, table

if TYPE_CHECKING:
    from collections.abc import Mapping

SETS = {"phantoms": "phantoms", "odir": "ODIR-5K"}
NONE = "–"


def hidden(results: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return a row for each decision that the runs were judged by, with the bound that the protocols state at most."""
    rows = []
    for name, result in results.items():
        for one in result["decisions"]:
            counts = one["accepted"]["stated"]
            rows.append(
                [
                    SETS[name],
                    one["min_patients"],
                    f"{percent(one['forget_margin'], 0)} points",
                    " ".join(one["line"].split(" ")[:3]),
                    counts["qualified"],
                    counts["equivalent"],
                    counts["different"],
                    _share(counts["upper_95"]),
                    _share(counts["largest_stated_bound"]),
                    one["accepted"]["default"]["qualified"],
                ]
            )
    heads = ["images", "patients a class needs", "margin on forget", "equivalent", "qualified by any bound"]
    heads += ["of these equivalent", "of these different", "95 % limit of different", "largest stated bound"]
    return table([*heads, "qualified by the default bound"], rows, numbers=range(1, 10))


def _share(found: float | None) -> str:
    return NONE if found is None else f"{percent(found, 0)} %"
