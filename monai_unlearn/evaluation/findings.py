"""What the numbers show of the forgetting: is it in the weights, or only in BatchNorm statistics?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# With a smaller loss of accuracy there is no forgetting to test.
NOTICEABLE = 0.01
# If less than this share of the forgetting is left after recalibration, it is an artefact of BatchNorm statistics.
SURVIVES = 0.5

Table = Mapping[str, Mapping[str, Any]]


def forgetting(models: Mapping[str, Table], *, has_batch_norm: bool) -> dict[str, Any]:
    """Compare the forget accuracy lost by the revised weights with what is lost after recalibration.

    Measured on the forget part's test images, or on its training images if it has no test images.

    Returns:
        `split`; `change`, the revised minus the original accuracy; `change_recalibrated`, the same with
        both models' statistics recalibrated on remain images; `surviving_recalibration`, their ratio (null without
        BatchNorm or without forgetting); and `artefact`, whether that ratio is below one half.
    """
    subsets = {name: table["forget"] for name, table in models.items()}
    split = "test" if subsets["original"]["test"]["n"] else "train"
    values = {name: subset[split]["accuracy"] for name, subset in subsets.items()}
    result: dict[str, Any] = {"split": split, "change": None, "change_recalibrated": None}
    result |= {"surviving_recalibration": None, "artefact": False}
    if values["original"] is None:
        return result
    result["change"] = values["revised"] - values["original"]
    if has_batch_norm:
        # The original is recalibrated too: accuracy that recalibration alone takes away is not forgetting.
        before = values.get("original_recalibrated", values["original"])
        result["change_recalibrated"] = values["revised_recalibrated"] - before
        if result["change"] < -NOTICEABLE:
            result["surviving_recalibration"] = result["change_recalibrated"] / result["change"]
            result["artefact"] = result["surviving_recalibration"] < SURVIVES
    return result
