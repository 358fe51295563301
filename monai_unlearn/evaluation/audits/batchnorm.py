"""BatchNorm: is the forgetting in the weights as trained, or only in running statistics?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.evaluation.audits.audit import Audit, Audited, Cost, own_probability
from monai_unlearn.evaluation.audits.figure import Finding, Row, not_measurable
from monai_unlearn.evaluation.audits.patients import share
from monai_unlearn.evaluation.decision.artefact import is_artefact

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]

MOVES = 0.005
"""Half a point: by at most this much two orders of the remain images may move the mean probability of a subset."""
FEWEST_IMAGES, MOST_IMAGES = 256, 16_384
"""Where the search for the number of images begins, each time doubled, and where it ends."""
SAMPLE = 300
"""Images of a subset that the number is chosen by."""
SUBSETS = ("forget_train", "forget_test", "remain_test")


def measure(audited: Audited) -> Finding:
    """Compare the revised network as trained with one recalibrated on enough remain images.

    Recalibrated twice under other seeds, a network shows how far the estimate itself moves it: the number of images is
    the first at which no subset's mean probability of the true class moves by more than half a point. The network as
    trained is the revised one before any recalibration; where the run recalibrated none, the one that it delivers.
    """
    if not audited.of_run.has_batch_norm:
        return not_measurable("The network keeps no BatchNorm statistics.")
    rows = {name: audited.sample(SAMPLE, name) for name in SUBSETS if name in audited.subsets}
    if not rows:
        return not_measurable("There are no images to measure it on.")
    images, moves, recalibrated = _enough(audited, rows)
    name = audited.as_trained or audited.revised
    as_trained = {subset: audited.own(name, of) for subset, of in rows.items()}
    original = {subset: audited.own(audited.original, of) for subset, of in rows.items()}
    before, trained, left = (_forgotten(own) for own in (original, as_trained, recalibrated))
    facts: dict[str, Any] = {
        "images": images,
        "seed_moves": moves,
        "is_enough": moves <= MOVES,
        "delivered": "recalibrated" if audited.as_trained else "as trained",
        "artefact_as_trained": is_artefact(before, trained, left),
    }
    kinds = {"probability_as_trained": as_trained, "probability_recalibrated": recalibrated}
    found = [_row(audited, kind, subset, of, own[subset]) for subset, of in rows.items() for kind, own in kinds.items()]
    return Finding(rows=tuple(found), facts=facts)


def _enough(audited: Audited, rows: Mapping[str, Ids]) -> tuple[int, float, dict[str, Array]]:
    """Return how many images are enough, how far two seeds lie apart, and what the recalibrated network predicts."""
    images = FEWEST_IMAGES
    while True:
        first, second = (_recalibrated(audited, rows, images=images, seed=audited.seed + more) for more in (1, 2))
        moves = max(abs(float(first[name].mean() - second[name].mean())) for name in rows)
        if moves <= MOVES or images >= MOST_IMAGES or audited.seconds_left() <= 0:
            return images, moves, first
        images *= 2


def _recalibrated(audited: Audited, rows: Mapping[str, Ids], *, images: int, seed: int) -> dict[str, Array]:
    """Return the probability of the true class by subset, recalibrated on so many images."""
    together = np.concatenate(list(rows.values()))
    logits = audited.of_run.recalibrated(together, images=images, seed=seed)
    own = own_probability(logits, audited.labels[together])
    ends = np.cumsum([len(of) for of in rows.values()])[:-1]
    return dict(zip(rows, np.split(own, ends), strict=True))


def _forgotten(own: Mapping[str, Array]) -> float:
    """Return the mean over the forget subsets; NaN if there is none."""
    found = [values for name, values in own.items() if name.startswith("forget_")]
    return float(np.concatenate(found).mean()) if found else float("nan")


def _row(audited: Audited, kind: str, subset: str, rows: Ids, own: Array) -> Row:
    """Return a row: the revised network as `own` has it, the others as they are."""
    patients = audited.patients[rows]
    return Row(
        measure=kind,
        subset=subset,
        original=share(audited.own(audited.original, rows), patients),
        revised=share(own, patients),
        retrained=tuple(share(audited.own(name, rows), patients) for name in audited.retrained),
        headline=subset == SUBSETS[0],
    )


def cost(audited: Audited) -> Cost:
    """Return what two recalibrations take, and one doubling."""
    if not audited.of_run.has_batch_norm:
        return Cost()
    images = sum(len(audited.sample(SAMPLE, name)) for name in SUBSETS)
    return Cost(passes=2 * (FEWEST_IMAGES + images) + 2 * (2 * FEWEST_IMAGES + images))


BATCHNORM = Audit(
    name="batchnorm",
    description=(
        "the mean probability of the true class on forget images as trained, and with BatchNorm recalibrated on enough "
        "remain images: forgetting that comes back was in the statistics"
    ),
    measure=measure,
    cost=cost,
)
