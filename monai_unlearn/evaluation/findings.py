"""What the numbers say: does the forgetting hold, and would retraining have been the better choice?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Below this change in accuracy there is no forgetting whose persistence could be tested.
NOTICEABLE = 0.01
# Forgetting of which less than this share is left after recalibration is an artefact of statistics.
SURVIVES = 0.5
# From this share of retraining's gradients on, unlearning saves too little to be worth its uncertainty.
WORTH_IT = 0.5

Table = Mapping[str, Mapping[str, Any]]


def forgetting(models: Mapping[str, Table], *, has_batch_norm: bool) -> dict[str, Any]:
    """Compare the forget accuracy lost by the revised weights with what is lost after recalibration.

    Measured on the forget part's test images, or on its training images where it has no test image.

    Returns:
        `split`; `change`, the revised minus the original accuracy; `change_recalibrated`, the same with
        both models' statistics recalibrated on remain; `surviving_recalibration`, their ratio (null without BatchNorm
        or without forgetting); and `artefact`, whether that ratio is below one half.
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
        # Against the original under the same treatment: what recalibration alone takes away is not forgetting.
        before = values.get("original_recalibrated", values["original"])
        result["change_recalibrated"] = values["revised_recalibrated"] - before
        if result["change"] < -NOTICEABLE:
            result["surviving_recalibration"] = result["change_recalibrated"] / result["change"]
            result["artefact"] = result["surviving_recalibration"] < SURVIVES
    return result


def recommend(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether retraining would have been the better choice, and why.

    Returns:
        `{"retrain": true | false | null, "reasons": […]}`; null where no reference was given.
    """
    reasons = [*_artefact(evidence), *_gaps(evidence), *_cost(evidence)]
    if "reference" not in evidence["models"]:
        reasons.append(
            "No retrained reference stands beside this result: whether the revised model behaves like one "
            "that never saw the forget part is not known. Run again with --reference retrain."
        )
        return {"retrain": True if evidence["forgetting"]["artefact"] else None, "reasons": reasons}
    if not evidence["reference_is_recorded"] and not reasons:
        reasons.append(
            "The reference comes without a training record: whether it never saw the forget part is not known."
        )
        return {"retrain": None, "reasons": reasons}
    return {"retrain": bool(reasons), "reasons": reasons}


def _artefact(evidence: Mapping[str, Any]) -> list[str]:
    found = evidence["forgetting"]
    if not found["artefact"]:
        return []
    change, left = _points(found["change"]), _points(found["change_recalibrated"])
    reason = (
        f"The forgetting is an artefact of BatchNorm statistics: of {change} in forget accuracy, {left} are left "
        "when the statistics are recalibrated on remain."
    )
    return [reason]


def _gaps(evidence: Mapping[str, Any]) -> list[str]:
    """Name the gaps to the reference whose interval excludes zero, in all and class by class.

    Test images show how the model behaves; forget training images show whether it still knows them by heart,
    which a model that fits its test images can hide. The intervals are not corrected for the number of classes
    looked at: a reason too many costs a retraining, a reason too few may cost a patient.
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
    """Say whether a gap speaks against a revised model: being better on remain than the reference does not."""
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
