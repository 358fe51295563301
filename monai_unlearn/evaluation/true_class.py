"""How sure each network is of the true class, by subset and class: what the card's first plot shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.evaluation.decision.endpoint import part_of
from monai_unlearn.evaluation.decision.evidence import gather
from monai_unlearn.evaluation.intervals import student
from monai_unlearn.vocabulary.parts import JUDGED_PARTS, SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from monai_unlearn.evaluation.decision.evidence import ClassMeans, Evidence
    from monai_unlearn.evaluation.prediction_table import PredictionTable

MEASURE = "mean_probability"


def true_class(table: PredictionTable, endpoints: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the mean probability of the true class by subset and class: of the original, the revised, the retrained.

    Images are averaged within a patient, then over patients, as the verdict does it.

    Args:
        table: What every network predicts.
        endpoints: What was judged, as `metrics.json` holds it. A row has the `target` and the `margin` of the endpoint
            that is about the same number; both are null where there is none.

    Returns:
        `{"key", "subset", "class", "patients", "images", "networks", "target", "margin"}` for each class that has
        images in a subset of the forget or remain part. `networks` has `network`, `role` (`original`, `revised`,
        `reference`), `value` in [0, 1], null where an output is not finite, and `interval`, Student's at 95 %, null
        for fewer than 30 patients. Retrained networks are those that count.
    """
    evidence = gather(table)
    judged = {
        (row["subset"], row["class"]): row
        for row in endpoints
        if row["measure"] == MEASURE and row["predicted"] == row["class"] and row["target"] is not None
    }
    return [
        _row(evidence, subset, number, name, judged.get((subset, name)))
        for subset in sorted(evidence.subsets, key=_order)
        for number, name in enumerate(table.class_names)
        if evidence.of(subset, name) is not None
    ]


def _order(subset: str) -> tuple[int, str, int]:
    """Return where a subset is listed: forget, remain, earlier cohorts; of each train, validation, test."""
    part, split = part_of(subset), subset.rpartition("_")[2]
    return JUDGED_PARTS.index(part) if part in JUDGED_PARTS else len(JUDGED_PARTS), part, SPLITS.index(split)


def _row(evidence: Evidence, subset: str, number: int, name: str, judged: Mapping[str, Any] | None) -> dict[str, Any]:
    means = evidence.subsets[subset][name]
    return {
        "key": f"true_class/{subset}/{name}",
        "subset": subset,
        "class": name,
        "patients": len(means),
        "images": means.images,
        "networks": list(_networks(evidence, means, number)),
        "target": judged and judged["target"],
        "margin": judged and judged["margin"],
    }


def _networks(evidence: Evidence, means: ClassMeans, number: int) -> Iterator[dict[str, Any]]:
    roles = [(evidence.original, "original"), (evidence.revised, "revised")]
    roles += [(name, "reference") for name in evidence.references]
    for name, role in roles:
        values = means.soft[evidence.rows(name)[0], :, number]
        yield {"network": name, "role": role, **_estimate(values)}


def _estimate(values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return mean and interval of the patients' values, limited to [0, 1]."""
    if not np.isfinite(values).all():
        return {"value": None, "interval": None}
    found = student(values)
    return {
        "value": float(values.mean()),
        "interval": None if found is None else [max(found[0], 0.0), min(found[1], 1.0)],
    }
