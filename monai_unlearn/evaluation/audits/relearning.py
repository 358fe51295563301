"""Relearning: how many steps on forget images until the network knows them as the original did?"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.evaluation.audits.audit import Audit, Audited, Cost, own_probability
from monai_unlearn.evaluation.audits.figure import Figure, Finding, Row, not_measurable, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    Ids = npt.NDArray[np.int64]

SUBSET = "forget_train"
IMAGES, BATCH, MOST_STEPS = 64, 32, 60
"""Images that are learnt again, images a step, and steps after which the audit gives up."""
WITHIN = 0.95
"""Of the original's accuracy, or mean probability of the true class, this share must be reached."""
EXPECTED_STEPS = 30
"""For the estimate of the cost."""
MEASURES = ("accuracy", "probability")


def measure(audited: Audited) -> Finding:
    """Count the steps of every network until it is within 5 % of the original on the same forget images.

    AIN, the anamnesis index, is the ratio of the revised network's steps to those of retrained ones (Chundawat et al.
    2023, arXiv 2201.05629, section 5): far below 1, the network relearns what it had only hidden.
    """
    rows = audited.sample(IMAGES, SUBSET)
    if not len(rows) or not audited.retrained:
        return not_measurable("It needs training images of the forget part, and a retrained network to compare with.")
    known = _knows(audited.table.logits[audited.original][rows], audited.labels[rows])
    aims = {name: WITHIN * value for name, value in known.items()}
    steps = {}
    for name in audited.subjects[1:]:
        steps[name] = steps_to(aims, _curve(audited, name, rows))
        if audited.seconds_left() <= 0:
            return skipped("The seconds that audits may take were spent before every network had relearnt.")
    capped = sorted({name for name, found in steps.items() if None in found.values()})
    return Finding(
        rows=tuple(row for one in MEASURES for row in _rows(audited, one, steps)),
        facts={"images": len(rows), "batch": BATCH, "most_steps": MOST_STEPS, "aims": aims, "not_reached": capped},
    )


def steps_to(aims: Mapping[str, float], curve: Iterator[Mapping[str, float]]) -> dict[str, int | None]:
    """Return the number of the first point of a curve, from 0, at which each aim is reached; None where it never is."""
    found: dict[str, int | None] = dict.fromkeys(aims)
    for step, known in enumerate(curve):
        for one, aim in aims.items():
            if found[one] is None and known[one] >= aim:
                found[one] = step
        if None not in found.values():
            break
    return found


def _curve(audited: Audited, name: str, rows: Ids) -> Iterator[Mapping[str, float]]:
    """Yield what a network knows before the first step and after each, until the steps or the time are over."""
    labels = audited.labels[rows]
    yield _knows(audited.table.logits[name][rows], labels)
    for logits in itertools.islice(audited.of_run.relearn(name, rows), MOST_STEPS):
        yield _knows(logits, labels)
        if audited.seconds_left() <= 0:
            return


def _knows(logits: npt.NDArray[np.floating[Any]], labels: Ids) -> dict[str, float]:
    """Return accuracy, and the mean probability of the true class."""
    own = own_probability(logits, labels)
    return {"accuracy": float((logits.argmax(1) == labels).mean()), "probability": float(own.mean())}


def _rows(audited: Audited, measure_name: str, steps: dict[str, dict[str, int | None]]) -> tuple[Row, Row]:
    counted = {name: found[measure_name] for name, found in steps.items()}
    capped = [name for name, value in counted.items() if value is None]
    # Where a network has not reached the aim, its ratio is a bound.
    known = {name: MOST_STEPS if value is None else value for name, value in counted.items()}

    def ain(name: str) -> Figure:
        others = [known[other] for other in audited.others(name)]
        return Figure(value=known[name] / float(np.mean(others))) if others and np.mean(others) > 0 else Figure()

    def figures(name: str) -> Figure:
        return Figure(value=None if name in capped else float(known[name]))

    unknown = f"Not reached within {MOST_STEPS} steps by {', '.join(capped)}; these count as {MOST_STEPS}."
    ratio = ain(audited.revised)
    why = "The retrained networks know the images as the original did: there is nothing to relearn."
    return (
        Row(
            measure=f"steps_{measure_name}",
            subset=SUBSET,
            original=Figure(value=0.0),
            revised=figures(audited.revised),
            retrained=tuple(figures(name) for name in audited.retrained),
            unit="steps",
            why=unknown if capped else None,
        ),
        Row(
            measure=f"ain_{measure_name}",
            subset=SUBSET,
            revised=ratio,
            retrained=tuple(ain(name) for name in audited.retrained),
            unit="ratio",
            headline=measure_name == "probability",
            why=why if ratio.value is None else unknown if capped else None,
        ),
    )


def cost(audited: Audited) -> Cost:
    """Return what some steps of every network take: a gradient for a batch, a pass for every image."""
    images = len(audited.sample(IMAGES, SUBSET))
    a_step = 3 * min(BATCH, images) + images
    return Cost(passes=EXPECTED_STEPS * a_step * (1 + len(audited.retrained)))


RELEARNING = Audit(
    name="relearning",
    description=(
        "AIN, the steps on forget training images until the network gives their true classes the probability that the "
        "original did, within 5 %, over the steps that retrained networks take: 1 is ideal, far below 1 is a residue"
    ),
    measure=measure,
    cost=cost,
)
