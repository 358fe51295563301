"""What the numbers show: does the forgetting last, and would retraining have been the better choice?

Both are decided on accuracy alone; further metrics are reported beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# With a smaller loss of accuracy there is no forgetting to test.
NOTICEABLE = 0.01
# If less than this share of the forgetting is left after recalibration, it is an artefact of BatchNorm statistics.
SURVIVES = 0.5
# From this share of retraining's gradient evaluations on, unlearning saves too little to be worth its uncertainty.
WORTH_IT = 0.5

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


def recommend(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Decide whether retraining would have been the better choice, and why.

    Returns:
        `{"retrain": true | false | null, "reasons": […]}`; null if it is unknown, as without a reference.
    """
    reasons = [*_artefact(evidence), *_gaps(evidence), *_cost(evidence)]
    if "reference" not in evidence["models"]:
        reasons.append(
            "There is no retrained reference: it is unknown whether the revised model behaves like one that never saw "
            "the forget part. Run again with --reference retrain."
        )
        return {"retrain": True if evidence["forgetting"]["artefact"] else None, "reasons": reasons}
    if not evidence["reference_is_recorded"] and not reasons:
        reasons.append("The reference has no training record: it is unknown whether it saw the forget part.")
        return {"retrain": None, "reasons": reasons}
    return {"retrain": bool(reasons), "reasons": reasons}


def _artefact(evidence: Mapping[str, Any]) -> list[str]:
    found = evidence["forgetting"]
    if not found["artefact"]:
        return []
    change, left = _points(found["change"]), _points(found["change_recalibrated"])
    reason = (
        f"The forgetting is an artefact of BatchNorm statistics: of {change} in forget accuracy, {left} are left "
        "after recalibration on remain images."
    )
    return [reason]


def _gaps(evidence: Mapping[str, Any]) -> list[str]:
    """Name the gaps to the reference whose interval excludes zero, over all classes and class by class.

    Test images show how the model behaves. Forget training images show whether it still has them memorised, which
    its accuracy on test images can hide. The intervals are not corrected for the number of classes compared: a
    false alarm costs a retraining; a missed gap may harm a patient.
    """
    reasons = []
    for part, split in (("forget", "train"), ("forget", "test"), ("remain", "test")):
        subset = evidence["gaps_to_reference"].get(part, {}).get(split, {"interval": None, "classes": {}})
        for name, gap in {"all classes": subset, **subset["classes"]}.items():
            if _matters(gap, part):
                low, high = (_signed(limit) for limit in gap["interval"])
                reasons.append(
                    f"On {part} {split} images of {name} the revised model is {_points(gap['value'])} from the "
                    f"retrained reference (95 % interval {low} to {high})."
                )
    return reasons


def _matters(gap: Mapping[str, Any], part: str) -> bool:
    """Return whether a gap counts against a revised model: beating the reference on remain images does not."""
    if gap["interval"] is None:
        return False
    low, high = gap["interval"]
    return high < 0 or (low > 0 and part == "forget")


def _cost(evidence: Mapping[str, Any]) -> list[str]:
    share = evidence["cost"]["share_of_retraining_gradients"]
    if share is None or share < WORTH_IT:
        return []
    return [f"Unlearning took {share:.0%} of the gradient evaluations of retraining."]


def _points(share: float) -> str:
    return f"{_signed(share)} points"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"
