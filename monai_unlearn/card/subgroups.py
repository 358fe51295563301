"""The rows of the forest plot: how the networks read the images of each subgroup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.trace import SITE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]

PART, SPLIT = "remain", "test"
"""Images that stand for the patients to come."""
SLICES = ("sex", "age_band", "device", SITE)
METRICS = ("accuracy", "sensitivity", "specificity")


def subgroups(evidence: Document) -> dict[str, Any]:
    """Return the figures of each subgroup, and how many subgroups are too small to have any.

    Args:
        evidence: The content of `metrics.json`.

    Returns:
        `rows`, of which each has `key`, `metric`, `slice`, `value`, `part`, `split`, `n`, `patients`, and estimates
        `before`, `after` and `retrained`, these with `network`; `left_out`, by slice, the subgroups with fewer patients
        than figures need. Institutions are numbered in the order of their names, which stay with the images.
    """
    found = _of(evidence, "original")
    left_out = {
        name: small
        for name, values in found.items()
        if (small := sum(not _is_measured(one) for one in values.values()))
    }
    return {"rows": list(_rows(evidence, found)), "left_out": left_out}


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


def _is_measured(entry: Document) -> bool:
    return METRICS[0] in entry


def _estimate(entry: Document, metric: str) -> dict[str, Any]:
    """Return a metric of a subgroup; nothing where a network's output there is not finite."""
    if not _is_measured(entry):
        return {"value": None, "interval": None}
    if metric == METRICS[0]:
        return {"value": entry[metric], "interval": entry["interval"]}
    return dict(entry[metric])
