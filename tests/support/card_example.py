"""A model-card difference as a run makes it."""

from __future__ import annotations

from typing import Any

from evidence_example import evidence

from monai_unlearn.card import build_diff

DIGEST = "sha256:" + "0" * 64


def build(
    *, cohort: dict[str, Any] | None = None, changes: dict[str, Any] | None = None, **models: Any
) -> dict[str, Any]:
    """Build a difference from counts; see `evidence`."""
    parts = {"forget": 10, "remain": 20, "undetermined": 1}
    modification = {
        "reason": "device_deprecation",
        "date": "2026-01-02",
        "seed": 0,
        "tool_version": "0.1.0",
        "cohort": {
            "name": "retire-old",
            "spec_digest": DIGEST,
            "index_digest": DIGEST,
            "forget": "device == Old",
            "population": None,
            "unknown": "exclude",
            "scope": "image",
            "images": parts,
            "patients": parts,
            "attrition": [
                {"rule": "device == Old", "images_in": 31, "images_out": 10, "patients_in": 31, "patients_out": 10}
            ],
            "value_lists": [],
            "variants": [],
            "doubtful_training": None,
            **(cohort or {}),
        },
        "method": {"name": "psg", "paper": "a paper", "equations": "1", "settings": {}, "recalibrated": True},
    }
    return build_diff(
        base={"name": "Some", "version": "1.0.0", "weights_digest": DIGEST},
        revised={"name": "Some", "version": "1.1.0", "weights_digest": DIGEST},
        modification=modification,
        evidence={**evidence(**models), **(changes or {})},
    )
