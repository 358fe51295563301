"""A model-card difference as a run makes it."""

from __future__ import annotations

from typing import Any

from evidence_example import evidence

from monai_unlearn.card import build_diff
from monai_unlearn.card.bundle_facts import bundle_facts

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
            "manifest_digest": DIGEST,
            "forget": "device == Old",
            "population": None,
            "asked": {"forget": {"text": "device is “Old”", "parts": []}, "population": None},
            "unknown": "exclude",
            "scope": "image",
            "images": parts,
            "patients": parts,
            "patients_in_both": 0,
            "attrition": [
                {"rule": "device == Old", "images_in": 31, "images_out": 10, "patients_in": 31, "patients_out": 10}
            ],
            "value_lists": [],
            "variants": [],
            "doubtful_training": None,
            **(cohort or {}),
        },
        "method": {"name": "psg", "paper": "a paper", "equations": "1", "settings": {}, "recalibrated": True}
        | {"chosen_by": "user", "ground": "the user chose it"},
    }
    return build_diff(
        base={"name": "Some", "version": "1.0.0", "weights_digest": DIGEST},
        revised={"name": "Some", "version": "1.1.0", "weights_digest": DIGEST},
        modification=modification,
        evidence={**evidence(**models), **(changes or {})},
        bundle=bundle_facts({"task": "Reading", "intended_use": "Research"}),
        versions={"python": "3.11"},
    )


FULL, CLOSE = {"forget": 90, "remain": 90}, {"forget": 50, "remain": 88}
RETRAINED = {
    name: {"forget": 50 + more, "remain": 88}
    for name, more in (("reference", -2), ("reference_2", -1), ("reference_3", 1))
}
NETWORKS = ("original", "revised", *RETRAINED)
SITES = ("Clinic of Dr Planted", "North")


def rich(**cohort: Any) -> dict[str, Any]:
    """Build a difference with everything that a page can show: subgroups, sites, audits, a long rule, earlier ones."""
    long = "a rule with a name that is far longer than the width of any phone would allow, by design"
    step = {"rule": long, "images_in": 31, "images_out": 10, "patients_in": 31, "patients_out": 10, "images_unknown": 1}
    changes = {"slices": {name: {"remain": {"test": _slices()}} for name in NETWORKS}, "audits": _audits()}
    diff = build(
        cohort={
            "attrition": [{**step, "rule": "readable images", "images_out": 31}, step],
            "patients_in_both": 3,
            **cohort,
        },
        changes=changes,
        original=FULL,
        revised=CLOSE,
        revised_recalibrated=CLOSE,
        **RETRAINED,
    )
    entry = {"version": "1.0.0", "base_version": "0.9.0", "date": "2025-01-02", "cohort": "gone", "reason": "other"}
    diff["earlier"] = [{**entry, "images": {"forget": 7}, "patients": {"forget": 5}, "verdict": "equivalent"}]
    return diff


def _slices() -> dict[str, Any]:
    known = {"n": 40, "patients": 30, "accuracy": 0.9, "interval": [0.8, 0.95]}
    known |= {name: {"value": 0.8, "interval": [0.7, 0.9]} for name in ("sensitivity", "specificity")}
    small = {"n": 4, "patients": 4}
    values = {"sex": ("F", "M"), "age_band": ("40-59",), "device": ("A camera",), "site": SITES, "year": ("2020",)}
    found: dict[str, Any] = {name: dict.fromkeys(every, known) for name, every in values.items()}
    found["age_band"]["80+"] = small
    return found


def _audits() -> dict[str, Any]:
    figure = {"value": 0.6, "interval": [0.5, 0.7]}
    row = {"class": "all", "original": figure, "revised": figure, "retrained": [figure] * 3, "headline": True}
    row |= {"retrained_range": [0.55, 0.62], "place": "within", "why": None, "subset": "forget_train"}
    measured = {"status": "measured", "why": None, "facts": {}}
    rates = [0.0, 0.5, 1.0]
    roc = {"attack": "loss", "false_positive_rates": rates}
    roc["true_positive_rates"] = {name: [0.0, 0.6, 1.0] for name in NETWORKS}
    points = [[0.0, 0.5, 0, 1], [1.0, 0.25, 1, 0]]
    networks = ("original", "revised", "reference")
    groups = [{"class": 0, "part": "forget", "images": 1, "same_class": 0.25, "forgotten": 0.5}]
    pictured = {name: dict.fromkeys(networks, each) for name, each in (("points", points), ("groups", groups))}
    return {
        "membership": {**measured, "facts": {"roc": roc}, "rows": [{**row, "measure": "auc_loss", "unit": "ratio"}]},
        "probe": {**measured, "rows": [{**row, "measure": "linear_remain", "unit": "share"}]},
        "batchnorm": {**measured, "rows": [{**row, "measure": "probability_as_trained", "unit": "share"}]},
        "embeddings": {**measured, "facts": pictured, "rows": []},
        "relearning": {"status": "skipped", "why": "There was no time.", "facts": {}, "rows": []},
    }
