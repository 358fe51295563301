"""The figures of the revised model as MONAI's `metadata.json` holds them, in `eval_metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PART, SPLIT = "remain", "test"


def eval_metrics(diff: Mapping[str, Any]) -> dict[str, float]:
    """Return each registered metric of the revised model on images that stand for the patients to come.

    Those are the remain part's test images. What is left on the forget part's test images stands beside it, as
    `forget_accuracy`: the retrained models have some as well, so lower is not better. Metrics without a value are left
    out.
    """
    found = {
        row["metric"]: row["after"]["value"]
        for row in diff["metrics"]
        if (row["part"], row["split"], row["class"]) == (PART, SPLIT, "all") and row["after"]["value"] is not None
    }
    forgotten = next((row for row in diff["metrics"] if row["key"] == f"accuracy/forget/{SPLIT}/all"), None)
    if forgotten is not None and forgotten["after"]["value"] is not None:
        found["forget_accuracy"] = forgotten["after"]["value"]
    return found
