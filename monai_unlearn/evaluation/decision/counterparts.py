"""A mean on some patients beside that of another network on other patients: images and their counterparts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.decision.estimates import Estimates
from monai_unlearn.evaluation.decision.exact_limit import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from monai_unlearn.evaluation.decision.evidence import ClassMeans, Evidence

    Array = npt.NDArray[np.float64]

NEVER_TRAINED = ("validation", "test")


def compare_unpaired(subject: Array, other: Array) -> Estimates:
    """Compare m measures of a network on some patients with those of a fixed network on others.

    The standard error is that of the difference of two independent means, and the exact distances of both are combined
    as independent ones (Zou and Donner 2008, Statistics in Medicine 27:1693).

    Args:
        subject: The network's, averaged within each patient, shape (patient, m), in [0, 1]; at least 2 patients.
        other: The fixed network's on other patients, of the same form.
    """
    variance = sum(values.var(0, ddof=1) / len(values) for values in (subject, other))
    return Estimates(
        value=subject.mean(0),
        target=other.mean(0),
        seed_sd=None,
        seeds=1,
        patient_se=np.sqrt(variance),
        patients=min(len(subject), len(other)),
        # Limits are those of values in [−1, 1]: stretched to that range, and their distances halved.
        strata=((0.5, Moments.of(2 * subject - 1)), (0.5, Moments.of(1 - 2 * other))),
    )


def counterparts(evidence: Evidence, parts: Sequence[str], label: str) -> ClassMeans | None:
    """Return the means of the never-trained images of a class in some parts; None if there is none.

    Validation and test images of a patient are in one split; a patient with images in two parts counts in each.
    """
    found = [
        means
        for part in parts
        for split in NEVER_TRAINED
        if (means := evidence.of(f"{part}_{split}", label)) is not None
    ]
    if not found:
        return None
    lost: dict[str, int] = {}
    for means in found:
        for name, count in means.not_finite.items():
            lost[name] = lost.get(name, 0) + count
    return replace(
        found[0],
        soft=np.concatenate([means.soft for means in found], axis=1),
        hard=np.concatenate([means.hard for means in found], axis=1),
        patients=np.concatenate([means.patients for means in found]),
        images=sum(means.images for means in found),
        not_finite=lost,
    )
