"""Which trial of a sweep is best, by validation images alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.experiments.plan import VALIDATION, no_validation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CRITERIA = {
    "gap_to_reference": "|forget gap| + |remain gap| to the retrained reference on validation images",
    "erase": "forget accuracy + remain accuracy lost on validation images",
}


def figures(metrics: Mapping[str, Any], criterion: str) -> dict[str, Any]:
    """Return what a finished trial is judged by; test images are not among it.

    Where the network has BatchNorm, the figures are those after its statistics are recalibrated on remain images:
    forgetting that does not survive it is none.

    Args:
        metrics: The run's `metrics.json`.
        criterion: One of `CRITERIA`.

    Returns:
        `read_as`, the model judged; `forget` and `remain`, its validation accuracies and their `gap`s to the
        reference where there is one; `remain_lost`; `score`, smaller is better; cost in gradients and seconds.

    Raises:
        DataError: A part has no validation image.
    """
    models = metrics["models"]
    suffix = "_recalibrated" if "revised_recalibrated" in models else ""
    judged, before = f"revised{suffix}", f"original{suffix}"
    found: dict[str, Any] = {"read_as": judged}
    for part in ("forget", "remain"):
        found[part] = _accuracy(models, judged, part)
        gap = found[part] - _accuracy(models, "reference", part) if "reference" in models else None
        found[f"{part}_gap"] = gap
    found["remain_lost"] = _accuracy(models, before, "remain") - found["remain"]
    found["score"] = _score(found, criterion)
    cost = metrics["cost"]
    found["gradient_evaluations"] = cost["gradient_evaluations"]["unlearning"]
    found["share_of_retraining_gradients"] = cost["share_of_retraining_gradients"]
    found["seconds"] = cost["seconds"]["unlearning"]
    found["accepted"] = metrics["accepted"]
    return found


def best(trials: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the finished trial with the smallest score; of equal ones the cheapest, then the first."""
    finished = [trial for trial in trials if trial["status"] == "finished" and trial["score"] is not None]
    return min(finished, key=lambda trial: (trial["score"], trial["gradient_evaluations"]), default=None)


def _score(found: Mapping[str, Any], criterion: str) -> float | None:
    if criterion == "erase":
        return float(found["forget"] + max(0.0, found["remain_lost"]))
    if found["forget_gap"] is None:
        return None
    return float(abs(found["forget_gap"]) + abs(found["remain_gap"]))


def _accuracy(models: Mapping[str, Any], model: str, part: str) -> float:
    trial = models[model][part].get(VALIDATION)
    if trial is None or not trial["n"]:
        raise no_validation(part)
    return float(trial["accuracy"])
