"""What `metrics.json` of a run holds that a comparison reads beside the verdict."""

from __future__ import annotations

from typing import Any


def subset(accuracy: float, **by_class: float) -> dict[str, Any]:
    """Return the figures of a subset of 100 images."""
    classes = {name: {"n": 50, "accuracy": value} for name, value in by_class.items()}
    return {"n": 100, "accuracy": accuracy, "classes": classes}


def network(forget: float, remain: float, **by_class: float) -> dict[str, Any]:
    """Return the figures of a network on test images."""
    return {"forget": {"test": subset(forget, **by_class)}, "remain": {"test": subset(remain, up=remain, down=remain)}}


def audit_row(measure: str, subset_name: str, revised: float | None, *, label: str = "all") -> dict[str, Any]:
    """Return a row of an audit."""
    return {
        "measure": measure,
        "subset": subset_name,
        "class": label,
        "original": {"value": 2.0, "interval": None},
        "revised": {"value": revised, "interval": None if revised is None else [revised - 0.1, revised + 0.1]},
        "retrained": [{"value": 1.0, "interval": None}, {"value": 1.1, "interval": None}],
    }


def metrics(*, verdict: str = "equivalent", forget: float = 0.6, distance: float | None = 1.2) -> dict[str, Any]:
    """Return `metrics.json` as far as a comparison reads it."""
    return {
        "verdict": verdict,
        "why": ["All intervals lie inside."],
        "models": {
            "original": network(0.9, 0.95, up=1.0, down=0.8),
            "revised": network(forget, 0.9, up=0.7, down=0.5),
            "reference": network(0.5, 0.92, up=0.6, down=0.4),
            "reference_2": network(0.6, 0.94, up=0.8, down=0.4),
        },
        "audits": {
            "distance": {
                "rows": [
                    audit_row("distance_ratio_equally_sure", "forget_test", 9.0, label="up"),
                    audit_row("distance_ratio_equally_sure", "forget_test", distance),
                    audit_row("distance_ratio", "forget_test", 0.8),
                ]
            },
            "relearning": {"rows": [audit_row("ain_loss", "forget_train", 0.5)]},
        },
        "cost": {
            "share_of_retraining_gradients": 0.11,
            "share_with_references": 3.11,
            "seconds": {"unlearning": 12.5},
        },
    }
