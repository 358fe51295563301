"""A row of a comparison: what one method reached on one cohort, from the evidence of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The measures of audits that a row has, by column: audit, measure, subset. The class is always all.
MEASURES: dict[str, tuple[str, str, str | None]] = {
    "distance_ratio": ("distance", "distance_ratio_equally_sure", "forget_test"),
    "distance_ratio_raw": ("distance", "distance_ratio", "forget_test"),
    "distance_ratio_forget_train": ("distance", "distance_ratio_equally_sure", "forget_train"),
    "distance_ratio_remain": ("distance", "distance_ratio_equally_sure", "remain_test"),
    "agreement": ("distance", "agreement", "forget_test"),
    "recall_gap_forget_train": ("recall_gap", "recall_gap", "forget_train"),
    "recall_gap_forget_test": ("recall_gap", "recall_gap", "forget_test"),
    "recall_gap_remain_test": ("recall_gap", "recall_gap", "remain_test"),
    "membership_auc": ("membership", "auc_loss", None),
    "probe": ("probe", "linear_remain", "forget_held_out"),
    "relearning": ("relearning", "ain_", None),
}
COLUMNS = (
    *("cohort", "method", "budget", "status", "verdict", "objective"),
    *MEASURES,
    *("forget_gap", "remain_gap", "remain_test_accuracy", "share_of_retraining", "share_with_references"),
    *("share_of_all_runs", "seconds", "trials", "runs", "settings", "why"),
)
TEST = "test"


def finished(identity: Mapping[str, Any], metrics: Mapping[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - plain values
    """Return the row of a run that is finished.

    Each measure is a mapping of `value`, `interval`, `retrained` (the values of the retrained networks among
    themselves) and `original`; gaps are shares, revised less the mean of the retrained networks, on test images.
    `chose` is the `name` of the method that the default chose, with the `ground`; None where the method was named.

    Args:
        identity: Cohort, method and budget.
        metrics: The run's `metrics.json`.
        more: Settings, objective and the like.
    """
    cost = metrics["cost"]
    return {
        **identity,
        "status": "finished",
        "verdict": metrics["verdict"],
        **{name: _measure(metrics["audits"], *where) for name, where in MEASURES.items()},
        "forget_gap": _gap(metrics["models"], "forget"),
        "remain_gap": _gap(metrics["models"], "remain"),
        "remain_test_accuracy": _accuracy(metrics["models"]["revised"], "remain"),
        "retrained_gaps": _gaps_of_retrained(metrics["models"]),
        "classes": _classes(metrics["models"]),
        "share_of_retraining": cost["share_of_retraining_gradients"],
        "share_with_references": cost["share_with_references"],
        "seconds": cost["seconds"]["unlearning"],
        "chose": _chosen(metrics.get("method") or {}),
        "why": " ".join(metrics["why"]) if isinstance(metrics["why"], list) else str(metrics["why"]),
        **more,
    }


def refused(identity: Mapping[str, Any], error: str) -> dict[str, Any]:
    """Return the row of a method that could not be run, with the reason."""
    return {**identity, "status": "failed", "why": error}


def flat(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a row as text by column, for CSV and tables; a measure is its value."""
    found = {}
    for name in COLUMNS:
        value = row.get(name)
        if isinstance(value, dict) and name in MEASURES:
            value = value["value"]
        if name == "trials":
            value = len(row["tried"]) if "tried" in row else None
        if name == "runs" and row["status"] == "finished":
            value = len(row.get("verdicts", (row["verdict"],)))
        if name == "settings":
            value = _settings(row)
        found[name] = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return found


def _settings(row: Mapping[str, Any]) -> str:
    """Return the settings that were chosen, or the method that the default chose."""
    if row.get("chose"):
        return f"chose {row['chose']['name']}"
    return ", ".join(f"{key.rpartition('::')[2]} {one}" for key, one in row.get("settings", {}).items())


def _chosen(method: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return which method the default chose, and on what ground; None where the method was named."""
    if method.get("chosen_by") != "default":
        return None
    return {"name": method["name"], "ground": method["ground"]}


def _measure(audits: Mapping[str, Any], audit: str, measure: str, subset: str | None) -> dict[str, Any] | None:
    rows = audits.get(audit, {}).get("rows", ())
    for one in rows:
        named = one["measure"] == measure or (measure.endswith("_") and one["measure"].startswith(measure))
        if named and one["class"] == "all" and subset in {None, one["subset"]}:
            return {
                "value": one["revised"]["value"],
                "interval": one["revised"]["interval"],
                "original": one["original"]["value"],
                "retrained": [other["value"] for other in one["retrained"]],
            }
    return None


def _references(models: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [model for name, model in models.items() if name.startswith("reference")]


def _accuracy(model: Mapping[str, Any], part: str) -> float | None:
    subset = model[part].get(TEST)
    return None if not subset or not subset["n"] else float(subset["accuracy"])


def _gap(models: Mapping[str, Any], part: str) -> float | None:
    others = [_accuracy(one, part) for one in _references(models)]
    own = _accuracy(models["revised"], part)
    known = [one for one in others if one is not None]
    return None if own is None or not known else own - sum(known) / len(known)


def _gaps_of_retrained(models: Mapping[str, Any]) -> list[list[float]]:
    """Return (forget, remain) gaps of each retrained network to the mean of all: the region that chance gives."""
    values = [[_accuracy(one, part) for part in ("forget", "remain")] for one in _references(models)]
    known: Sequence[Sequence[float]] = [[a, b] for a, b in values if a is not None and b is not None]
    if not known:
        return []
    means = [sum(column) / len(column) for column in zip(*known, strict=True)]
    return [[value - mean for value, mean in zip(one, means, strict=True)] for one in known]


def _classes(models: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    """Return the recall of each class on forget test images: original, revised, and the retrained networks' mean.

    A class of which there are none has no row.
    """
    found: dict[str, dict[str, float | None]] = {}
    for name, model in (("original", models["original"]), ("revised", models["revised"])):
        for label, one in model["forget"].get(TEST, {}).get("classes", {}).items():
            if one.get("accuracy") is not None:
                found.setdefault(label, {})[name] = one["accuracy"]
    for label, values in found.items():
        others = [one["forget"][TEST]["classes"][label].get("accuracy") for one in _references(models)]
        known = [one for one in others if one is not None]
        values["retrained"] = sum(known) / len(known) if known else None
    return found
