"""The rows of the forest plot: how the networks read the images of each subgroup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.trace import SITE
from monai_unlearn.evaluation.slices import MIN_PATIENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]

PART, SPLIT = "remain", "test"
"""Images that stand for the patients to come."""
SLICES = ("sex", "age_band", "device", SITE)
METRICS = ("accuracy", "sensitivity", "specificity")


def subgroups(evidence: Document) -> dict[str, Any]:
    """Return the figures of each subgroup, and how many subgroups have none, and why.

    Args:
        evidence: The content of `metrics.json`.

    Returns:
        `rows`, of which each has `key`, `metric`, `slice`, `value`, `part`, `split`, `n`, `patients`, and estimates
        `before`, `after` and `retrained`, these with `network`; `left_out`, by slice, the subgroups with fewer patients
        than figures need; `not_finite`, by slice, those with enough of them for which a network's output is not
        finite: it has no figure there. Institutions are numbered in the order of their names, which stay with the
        images.
    """
    found = _of(evidence, "original")
    small = {name: [value for value, one in values.items() if _is_small(one)] for name, values in found.items()}
    without = {
        name: [value for value in values if value not in small[name] and not _is_finite(evidence, name, value)]
        for name, values in found.items()
    }
    return {"rows": list(_rows(evidence, found)), "left_out": _counted(small), "not_finite": _counted(without)}


def _counted(found: Mapping[str, list[str]]) -> dict[str, int]:
    return {name: len(values) for name, values in found.items() if values}


def _rows(evidence: Document, found: Document) -> Iterator[dict[str, Any]]:
    retrained = [name for name in evidence["slices"] if name.startswith("reference")]
    for metric in METRICS:
        for name, values in found.items():
            for number, (value, entry) in enumerate(values.items(), start=1):
                if not _is_measured(entry) or _estimate(entry, metric)["value"] is None:
                    continue
                shown = f"site {number}" if name == SITE else value
                yield {
                    "key": f"{metric}/{PART}/{SPLIT}/{name}/{shown}",
                    "metric": metric,
                    "slice": name,
                    "value": shown,
                    "part": PART,
                    "split": SPLIT,
                    "n": entry["n"],
                    "patients": entry["patients"],
                    "before": _estimate(entry, metric),
                    "after": _estimate(_of(evidence, "revised")[name][value], metric),
                    "retrained": [
                        {"network": one, **_estimate(_of(evidence, one)[name][value], metric)} for one in retrained
                    ],
                }


def _of(evidence: Document, network: str) -> Document:
    found: Document = evidence["slices"].get(network, {}).get(PART, {}).get(SPLIT, {})
    return {name: found[name] for name in SLICES if name in found}


def _is_small(entry: Document) -> bool:
    return bool(entry["patients"] < MIN_PATIENTS)


def _is_finite(evidence: Document, name: str, value: str) -> bool:
    """Return whether every network that has this subgroup has figures of it."""
    return all(_is_measured(_of(evidence, network)[name][value]) for network in evidence["slices"])


def _is_measured(entry: Document) -> bool:
    return METRICS[0] in entry


def _estimate(entry: Document, metric: str) -> dict[str, Any]:
    """Return a metric of a subgroup; nothing where a network's output there is not finite."""
    if not _is_measured(entry):
        return {"value": None, "interval": None}
    if metric == METRICS[0]:
        return {"value": entry[metric], "interval": entry["interval"]}
    return dict(entry[metric])
