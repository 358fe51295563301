"""Which trial of a sweep is best, judged by validation images only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.evaluation.objective import VALIDATION, no_validation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CRITERIA = {
    "gap_to_reference": "|forget gap| + |remain gap| to the retrained reference on validation images",
    "erase": "forget accuracy + remain accuracy lost on validation images",
}


def choose_criterion(wanted: str | None, *, reference: str | None) -> str:
    """Return the criterion of a sweep: the wanted one, or `gap_to_reference` with a reference and `erase` without.

    Raises:
        ConfigError: The criterion is unknown, or needs a reference and there is none.
    """
    name = wanted or ("gap_to_reference" if reference else "erase")
    check_choice(name, CRITERIA, name="--criterion")
    if name == "gap_to_reference" and reference is None:
        raise ConfigError("--criterion gap_to_reference needs a reference. Give --reference retrain, or weights.")
    return name


def figures(metrics: Mapping[str, Any], criterion: str) -> dict[str, Any]:
    """Return the figures that a finished trial is judged by; none of them comes from test images.

    For a network with BatchNorm, they are taken after its statistics are recalibrated on remain images: what
    recalibration undoes was not forgotten.

    Args:
        metrics: The run's `metrics.json`.
        criterion: One of `CRITERIA`.

    Returns:
        `read_as`, the model judged; `forget` and `remain`, its validation accuracies; `forget_gap` and `remain_gap`,
        their differences from the reference, or None; `remain_lost`; `score`, smaller is better; cost in gradients
        and seconds; and the `verdict`, which is about test images too and chooses nothing.

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
    found["verdict"] = metrics["verdict"]
    return found


def best(trials: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the finished trial with the smallest score; ties go to the cheapest, then to the first."""
    finished = [trial for trial in trials if trial["status"] == "finished" and trial["score"] is not None]
    return min(finished, key=lambda trial: (trial["score"], trial["gradient_evaluations"]), default=None)


def _score(found: Mapping[str, Any], criterion: str) -> float | None:
    if criterion == "erase":
        return float(found["forget"] + max(0.0, found["remain_lost"]))
    if found["forget_gap"] is None:
        return None
    return float(abs(found["forget_gap"]) + abs(found["remain_gap"]))


def _accuracy(models: Mapping[str, Any], model: str, part: str) -> float:
    subset = models[model][part].get(VALIDATION)
    if subset is None or not subset["n"]:
        raise no_validation(part)
    return float(subset["accuracy"])
