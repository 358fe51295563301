"""Where in `metrics.json` each figure of the difference stands, as JSON pointers (RFC 6901).

Sections that the difference takes over as they are stand at the same place in both documents. The rows of metrics and
subgroups are picked from several places; their pointers are made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SITE = "site"
"""The slice whose values are names of institutions: the difference numbers them."""
_NETWORKS = {"before": "original", "after": "revised", "after_recalibrated": "revised_recalibrated"}
_ACCURACY = "accuracy"
_COUNTS = ("n", "patients")


def pointer(*names: object) -> str:
    """Return a JSON pointer.

    >>> pointer("models", "a/b", 0)
    '/models/a~1b/0'
    """
    return "".join("/" + str(name).replace("~", "~0").replace("/", "~1") for name in names)


def metric_pointer(row: Mapping[str, Any], column: str, *, network: str | None = None) -> str:
    """Return where the value of a row of `metrics` stands.

    Args:
        row: The row.
        column: `before`, `after`, `after_recalibrated`, `change`, `n`, or `retrained`.
        network: Of `retrained`, the name of the network.

    >>> row = {"metric": "sensitivity", "part": "remain", "split": "test", "class": "all"}
    >>> metric_pointer(row, "after"), metric_pointer({**row, "class": "a"}, "change")
    ('/models/revised/remain/test/sensitivity/value', '/changes/remain/test/classes/a/sensitivity/value')
    """
    names: list[object] = (
        ["changes"] if column == "change" else ["models", network or _NETWORKS.get(column, "original")]
    )
    names += [row["part"], row["split"]]
    if row["class"] != "all":
        names += ["classes", row["class"]]
    if column == "n":
        return pointer(*names, "n")
    if row["metric"] == _ACCURACY:
        return pointer(*names, "value" if column == "change" else _ACCURACY)
    return pointer(*names, row["metric"], "value")


def subgroup_pointer(row: Mapping[str, Any], column: str, *, number: int) -> str:
    """Return where the value of a row of `subgroups` stands: in `metrics.json`, that of a site in the difference.

    A pointer into `metrics.json` would name the institution, and the difference numbers them.

    Args:
        row: The row.
        column: `before`, `after`, `n` or `patients`.
        number: The number of the row, from 0.
    """
    if row["slice"] == SITE:
        return pointer("subgroups", "rows", number, column) + ("" if column in _COUNTS else "/value")
    names = ["slices", _NETWORKS.get(column, "original"), row["part"], row["split"], row["slice"]]
    names.append(row["value"])
    if column in _COUNTS:
        return pointer(*names, column)
    return pointer(*names, row["metric"]) + ("" if row["metric"] == _ACCURACY else "/value")
