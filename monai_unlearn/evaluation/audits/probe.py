"""Probe: do the network's features still tell the forgotten classes apart, whatever its last layer says?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.audits.audit import Audit, Audited, Cost
from monai_unlearn.evaluation.audits.figure import ALL, Figure, Finding, Row, not_measurable
from monai_unlearn.evaluation.audits.patients import share

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]
    Fit = Callable[[Array, Ids, Array], Ids]

FORGOTTEN, KEPT, HELD_OUT = "forget_train", "remain_train", "forget_held_out"
UNSEEN = ("forget_validation", "forget_test")
"""The held-out images: a probe that learnt from the training images of the forget part is judged on these alone."""
MOST = 1000
"""Images of a subset that a probe learns from or is judged on."""
REMAIN, BOTH = "remain", "both"
TWO = 2


def measure(audited: Audited) -> Finding:
    """Train probes on penultimate features of every network, and read forget images with them.

    Many methods misalign the last layer alone: the accuracy on forget images drops, and a linear probe on the features
    below recovers it (arXiv 2604.08271). What counts is the difference to retrained networks, whose features tell
    images of classes apart that they never saw, too. Probes learn from remain training images (`remain`: what the
    features make of forget images without help), and from both parts' training images (`both`: what is in the features
    at all, and the only one that can name classes of which remain has no image).
    """
    kept, forgotten = audited.sample(MOST, KEPT), audited.sample(MOST, FORGOTTEN)
    held_out = audited.sample(MOST, *UNSEEN)
    learnt = {REMAIN: kept, BOTH: np.concatenate([kept, forgotten])}
    if not len(forgotten) or len(np.unique(audited.labels[learnt[BOTH]])) < TWO:
        return not_measurable("A probe needs training images of the forget part, and of two classes.")
    rows = np.unique(np.concatenate([learnt[BOTH], held_out]))
    features = {name: audited.of_run.features(name, rows) for name in audited.subjects}
    found = []
    plan = ((REMAIN, FORGOTTEN, forgotten), (REMAIN, HELD_OUT, held_out), (BOTH, HELD_OUT, held_out))
    for trained_on, subset, tested in plan:
        chosen = learnt[trained_on]
        if len(tested) and len(np.unique(audited.labels[chosen])) >= TWO:
            for kind, fit in PROBES.items():
                places = np.searchsorted(rows, chosen), np.searchsorted(rows, tested)
                predicted = {
                    name: fit(values[places[0]], audited.labels[chosen], values[places[1]])
                    for name, values in features.items()
                }
                found += _rows(audited, f"{kind}_{trained_on}", subset, tested, predicted)
    facts = {"remain_train": len(kept), "forget_train": len(forgotten), "forget_held_out": len(held_out)}
    return Finding(rows=tuple(found), facts={**facts, "features": int(next(iter(features.values())).shape[1])})


def linear_probe(features: Array, classes: Ids, tested: Array) -> Ids:
    """Return what logistic regression on standardised features predicts; its classes weigh the same.

    Args:
        features: Of the images that it learns from, shape (image, feature).
        classes: Their classes, shape (image,).
        tested: Features of the images to predict, shape (tested image, feature).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
    return np.asarray(probe.fit(features, classes).predict(tested))


def nearest_mean(features: Array, classes: Ids, tested: Array) -> Ids:
    """Return the class whose mean of standardised features is nearest; see `linear_probe`."""
    scale = features.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    names = np.unique(classes)
    means = np.stack([features[classes == name].mean(0) for name in names]) / scale
    distances = ((tested[:, None] / scale - means) ** 2).sum(-1)
    return np.asarray(names[distances.argmin(1)])


PROBES: dict[str, Fit] = {"linear": linear_probe, "nearest_mean": nearest_mean}


def _rows(audited: Audited, measure_name: str, subset: str, rows: Ids, predicted: dict[str, Ids]) -> list[Row]:
    """Return a row for all classes and one for each: the share of images that the probe names correctly."""
    labels = audited.labels[rows]
    found = []
    for number in (None, *np.unique(labels)):
        of = np.full(len(labels), fill_value=True) if number is None else labels == number
        figures: dict[str, Figure] = {
            name: share((classes == labels)[of].astype(float), audited.patients[rows][of])
            for name, classes in predicted.items()
        }
        label = ALL if number is None else audited.table.class_names[number]
        found.append(
            Row(
                measure=measure_name,
                subset=subset,
                label=label,
                original=figures[audited.original],
                revised=figures[audited.revised],
                retrained=tuple(figures[name] for name in audited.retrained),
                headline=label == ALL and measure_name.startswith("linear"),
            )
        )
    return found


def cost(audited: Audited) -> Cost:
    """Return what the features of all networks take, and the probes."""
    images = sum(len(audited.sample(MOST, *names)) for names in ([KEPT], [FORGOTTEN], UNSEEN))
    return Cost(passes=images * len(audited.subjects), seconds=0.1 * len(audited.subjects))


PROBE = Audit(
    name="probe",
    description=(
        "the share of forget images that a linear probe on the features before the last layer names correctly, by a "
        "probe that learnt from remain images or from both parts: above the range of the retrained networks, only the "
        "last layer forgot"
    ),
    measure=measure,
    cost=cost,
)
