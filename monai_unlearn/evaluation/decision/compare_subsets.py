"""Turns endpoints and their guards into comparisons."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.decision.endpoint import ALL
from monai_unlearn.evaluation.decision.estimates import Estimates, compare, compare_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from monai_unlearn.evaluation.decision.comparison import Comparison
    from monai_unlearn.evaluation.decision.evidence import ClassMeans, Evidence

    Array = npt.NDArray[np.float64]

TWO = 2
"""A spread needs two patients; and of two classes, one probability is enough."""


@dataclass(frozen=True, kw_only=True)
class Against:
    """What the revised network is compared with.

    Attributes:
        evidence: The means of all networks.
        healthy: The classes that mean no disease.
        others: The networks to compare with; empty to compare with nothing, so that d is the value itself.
        fixed: Whether they are one fixed network, and not draws from what retraining gives.
    """

    evidence: Evidence
    healthy: tuple[str, ...]
    others: tuple[str, ...]
    fixed: bool = False

    @property
    def seeds(self) -> int | None:
        """How many retrained networks the target is the mean of; None if it is fixed."""
        return None if self.fixed else len(self.others)

    def split(self, values: Array) -> tuple[Array, Array]:
        """Return the revised network's values, (patient, m), and the others', (network, patient, m)."""
        subject = values[self.evidence.rows(self.evidence.revised)[0]]
        others = values[self.evidence.rows(*self.others)] if self.others else np.zeros((1, *subject.shape))
        return subject, others

    def fault(self, means: ClassMeans | None) -> str | None:
        """Return why a class cannot be judged, or None."""
        if means is None:
            return "there is no image"
        for name in (self.evidence.revised, *self.others):
            if count := means.not_finite.get(name, 0):
                return f"{count} of {means.images} images have no finite output of {name}"
        if not self.others and not self.fixed:
            return "there is no retrained network to compare with"
        return None if len(means) >= TWO else "there is one patient"


def of_class(like: Comparison, against: Against) -> list[Comparison]:
    """Return the comparisons of one true class: one for each probability of a soft row, else one."""
    means = against.evidence.of(like.subset, like.label)
    counted = _counted(like, against, means)
    predicted = shown(like, against.evidence)
    if fault := against.fault(means):
        return [replace(counted, predicted=name, fault=fault) for name in predicted[:1]]
    if means is None:
        raise AssertionError("a class without images has a fault")
    found = compare(*against.split(values_of(like, against, means)), fixed=against.fixed)
    return filled(counted, found, predicted)


def of_mean(like: Comparison, against: Against) -> list[Comparison]:
    """Return the comparison of the mean of the sensitivities of all classes that the subset should have."""
    evidence = against.evidence
    labels = evidence.expected(like.subset)
    classes = [evidence.of(like.subset, name) for name in labels]
    counted = _counted(like, against, *classes)
    faults = [f"of {name}, {fault}" for name, one in zip(labels, classes, strict=True) if (fault := against.fault(one))]
    if faults or not labels:
        return [replace(counted, fault=faults[0] if faults else "there is no image")]
    present = [one for one in classes if one is not None]
    # A mean over classes is known no better than its smallest class.
    counted = replace(counted, patients=min(map(len, present)))
    pairs = [
        against.split(one.hard[:, :, evidence.class_names.index(name)])
        for name, one in zip(labels, present, strict=True)
    ]
    subjects, others = zip(*pairs, strict=True)
    found = compare_mean(subjects, others, [one.patients for one in present], fixed=against.fixed)
    return filled(counted, found, (None,))


def of_all(like: Comparison, against: Against) -> list[Comparison]:
    """Return the comparison of the share of images classified correctly, over all patients of a subset."""
    present = {name: one for name in against.evidence.class_names if (one := against.evidence.of(like.subset, name))}
    return _together(like, against, present, lambda means, label: means.hard[:, :, label])


def of_pool(like: Comparison, against: Against) -> list[Comparison]:
    """Return the comparison of some classes together: of the mean probability each gives its own images, over patients.

    Or of the share of images classified correctly, or as healthy, where that is the measure.
    """
    present = {name: one for name in like.pooled if (one := against.evidence.of(like.subset, name))}
    return _together(like, against, present, lambda means, label: _own(like.measure, against, means, label))


def _own(measure: str, against: Against, means: ClassMeans, label: int) -> Array:
    """Return a measure of each network and patient, of a true class by its number, shape (network, patient)."""
    if measure == "false_negatives":
        names = against.evidence.class_names
        return np.asarray(means.hard[:, :, [names.index(one) for one in against.healthy]].sum(-1))
    return means.hard[:, :, label] if measure == "sensitivity" else means.soft[:, :, label]


def _together(
    like: Comparison,
    against: Against,
    present: Mapping[str, ClassMeans],
    own_class: Callable[[ClassMeans, int], Array],
) -> list[Comparison]:
    """Compare what each image's own class gets, averaged within patients and then over those of all classes.

    Where the difference itself is judged, a single patient is enough for it.
    """
    evidence = against.evidence
    counted = _counted(like, against, *present.values())
    fewest = 1 if like.rule == "point_within" else TWO
    faults = [
        f"of {name}, {fault}"
        for name, one in present.items()
        if (fault := against.fault(one)) and (len(one) >= TWO or "finite" in fault)
    ]
    if faults or counted.patients < fewest:
        return [replace(counted, fault=faults[0] if faults else "there are fewer than two patients")]
    total = 1 + max(int(one.patients.max()) for one in present.values())
    values, counts = np.zeros((len(evidence.networks), total)), np.zeros(total)
    for name, one in present.items():
        np.add.at(values.T, one.patients, own_class(one, evidence.class_names.index(name)).T)
        np.add.at(counts, one.patients, 1)
    own = values[:, counts > 0] / counts[counts > 0]
    subject, others = against.split(own[:, :, None])
    if counted.patients < TWO:
        return [_point(counted, subject, others)]
    return filled(counted, compare(subject, others, fixed=against.fixed), (None,))


def _point(like: Comparison, subject: Array, others: Array) -> Comparison:
    """Return the comparison of one patient: the difference is known, of its interval nothing."""
    means = others.mean((1, 2))
    spread = None if like.seeds is None else float(means.std(ddof=1)) if len(means) >= TWO else math.nan
    return replace(like, value=float(subject.mean()), target=float(means.mean()), seed_sd=spread)


def compared(like: Comparison, against: Against) -> list[Comparison]:
    """Return the comparisons that a comparison without figures stands for.

    Args:
        like: Names subset, class, measure, margin and rule.
        against: What to compare with.
    """
    if like.pooled:
        return of_pool(like, against)
    if like.measure == "macro_sensitivity":
        return of_mean(like, against)
    return of_all(like, against) if like.label == ALL else of_class(like, against)


def _counted(like: Comparison, against: Against, *classes: ClassMeans | None) -> Comparison:
    numbers = [one.patients for one in classes if one is not None]
    patients = len(np.unique(np.concatenate(numbers))) if numbers else 0
    images = sum(one.images for one in classes if one is not None)
    return replace(like, patients=patients, images=images, seeds=against.seeds)


def shown(like: Comparison, evidence: Evidence) -> tuple[str | None, ...]:
    """Return the predicted classes that a comparison of one true class is about; None where it is about none.

    Of two classes, one probability says all of a row, and so it does of a label that is there or not.
    """
    if like.measure != "mean_probability":
        return (None,)
    return (like.label,) if evidence.multilabel or len(evidence.class_names) == TWO else evidence.class_names


def values_of(like: Comparison, against: Against, means: ClassMeans) -> Array:
    """Return the measure of each network, patient and predicted class."""
    names = against.evidence.class_names
    if like.measure == "mean_probability":
        return means.soft[:, :, [names.index(str(one)) for one in shown(like, against.evidence)]]
    if like.measure == "sensitivity":
        return means.hard[:, :, [names.index(like.label)]]
    return np.asarray(means.hard[:, :, [names.index(one) for one in against.healthy]].sum(-1, keepdims=True))


def filled(like: Comparison, found: Estimates, predicted: Sequence[str | None]) -> list[Comparison]:
    """Return a comparison with the figures of each of its estimates."""
    target, (below, above) = found.target_distance(), found.patient_distances()
    low, high = found.limits_at(target, below, above)
    distances = np.maximum(below, above)
    smallest, stray = _p(like, found), found.stray()
    return [
        replace(
            like,
            predicted=name,
            value=float(found.value[i]),
            target=float(found.target[i]),
            low=float(low[i]),
            high=float(high[i]),
            seed_sd=None if found.seed_sd is None else float(found.seed_sd[i]),
            target_distance=float(target[i]),
            patient_se=float(found.patient_se[i]),
            patient_distance=float(distances[i]),
            p=float(smallest[i]),
            stray=float(stray[i]),
        )
        for i, name in enumerate(predicted)
    ]


def _p(like: Comparison, found: Estimates) -> Array:
    """Return the smallest error at which each interval is wholly beyond the margin, on a side that counts."""
    if (np.abs(found.difference) <= like.margin).all():
        return np.ones_like(found.value)
    below, above = found.p_beyond(like.margin)
    if like.sides == "both":
        return np.minimum(below, above)
    return above if like.sides == "upper" else below
