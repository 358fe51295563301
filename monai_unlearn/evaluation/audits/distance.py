"""Distance: do the network's probabilities lie as near to those of retrained networks as these to each other?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_softmax

from monai_unlearn.evaluation.audits.audit import Audit, Audited
from monai_unlearn.evaluation.audits.figure import SHOWN, Figure, Finding, Row, not_measurable
from monai_unlearn.evaluation.audits.patients import bootstrapped, share, sums_by_patient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]

FLOOR = 0.02
"""Nats below which a distance between retrained networks is no smaller measure to compare with."""
TRAINED_ON = "remain_train"
"""What every network was trained on: how sure they are is compared on the other images."""
TWO = 2
_WIDEST = 8.0


def measure(audited: Audited) -> Finding:
    """Measure agreement and distance ratio, raw and at equal confidence, on every subset."""
    if not audited.retrained:
        return not_measurable("There is no retrained network to be near to.")
    logits = {name: audited.table.logits[name].astype(np.float64) for name in audited.subjects}
    heated, temperatures = equally_sure(audited, logits)
    rows = []
    for subset in audited.subsets:
        chosen = audited.rows(subset)
        rows.append(_agreement(audited, subset, chosen))
        for measure_name, found in (("distance_ratio", logits), ("distance_ratio_equally_sure", heated)):
            rows.append(_ratios(audited, measure_name, subset, chosen, found, logits))
    return Finding(
        rows=tuple(rows),
        facts={
            "temperatures": {name: temperatures[name] for name in (audited.original, audited.revised)},
            "floor": FLOOR,
            "leave_one_seed_out": _left_out(audited, logits, heated),
        },
    )


def divergence(first: Array, second: Array) -> Array:
    """Return KL(first ‖ second) = Σ p·(ln p − ln q) of each image in nats, from logits of shape (image, class)."""
    p, q = log_softmax(first, axis=1), log_softmax(second, axis=1)
    return np.asarray((np.exp(p) * (p - q)).sum(1))


def entropy(logits: Array, temperature: float = 1.0) -> float:
    """Return the mean entropy of softmax(logits / temperature) in nats."""
    p = log_softmax(logits / temperature, axis=1)
    return float(-(np.exp(p) * p).sum(1).mean())


def temperature_for(logits: Array, wanted: float) -> float:
    """Return the temperature at which the mean entropy is the wanted one, in nats, from e⁻⁸ to e⁸.

    The entropy rises with the temperature. A network whose logits are all equal is as unsure at any, and keeps its own.
    """

    def gap(log_temperature: float) -> float:
        return entropy(logits, float(np.exp(log_temperature))) - wanted

    if gap(-_WIDEST) >= 0:
        return 1.0 if gap(_WIDEST) >= 0 and np.ptp(logits, axis=1).max() == 0 else float(np.exp(-_WIDEST))
    if gap(_WIDEST) <= 0:
        return float(np.exp(_WIDEST))
    return float(np.exp(brentq(gap, -_WIDEST, _WIDEST, xtol=1e-9)))


def equally_sure(audited: Audited, logits: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, float]]:
    """Return every network's logits over one temperature that makes it as sure as the retrained networks it meets.

    The mean entropy is made that of these networks, on all images but the remain training images: there it says how
    well a network fits what it was trained on.
    """
    rows = audited.rows(*(name for name in audited.subsets if name != TRAINED_ON))
    rows = rows if len(rows) else audited.rows(*audited.subsets)
    sure = {name: entropy(logits[name][rows]) for name in audited.retrained} if len(rows) else {}
    temperatures = {}
    for name in audited.subjects:
        others = [sure[other] for other in audited.others(name) if other in sure]
        temperatures[name] = temperature_for(logits[name][rows], float(np.mean(others))) if others else 1.0
    return {name: logits[name] / temperatures[name] for name in audited.subjects}, temperatures


def _sums(subject: Array, others: Sequence[Array], patients: Ids) -> Array:
    """Return, of each patient, the sums over images of the divergence, that among the others, and 1: (patient, 3)."""
    away = np.mean([divergence(other, subject) for other in others], axis=0)
    pairs = [divergence(a, b) for i, a in enumerate(others) for j, b in enumerate(others) if i != j]
    among = np.mean(pairs, axis=0) if pairs else np.full(len(away), np.nan)
    return sums_by_patient(np.stack([away, among, np.ones(len(away))], axis=1), patients)


def _ratio(sums: Array) -> Array:
    """Return mean divergence / max(mean among the others, `FLOOR`), from sums of shape (…, 3)."""
    away, among, count = sums[..., 0], sums[..., 1], sums[..., 2]
    return np.asarray(away / np.where(np.isnan(among), np.nan, np.maximum(among, FLOOR * count)))


def ratio_of(subject: Array, others: Sequence[Array], patients: Ids, *, seed: int) -> Figure:
    """Return mean KL(other ‖ subject) over images and others, over max(that of the others among themselves, 0.02 nats).

    Its interval is a bootstrap over patients. None with fewer than two others: how far they lie apart is unknown.

    Args:
        subject: The network's logits, shape (image, class).
        others: Those of retrained networks.
        patients: The patient of each image, shape (image,).
        seed: Seeds the bootstrap.
    """
    if len(others) < TWO or not len(subject):
        return Figure()
    sums = _sums(subject, others, patients)
    value = np.array([_ratio(sums.sum(0))])
    return bootstrapped(lambda weights: _ratio(weights @ sums)[:, None], value, patients=len(sums), seed=seed)[0]


def _ratios(
    audited: Audited, name: str, subset: str, rows: Ids, found: Mapping[str, Array], plain: Mapping[str, Array]
) -> Row:
    """Return the row of a ratio: the subjects as `found` has them, the others as they are."""
    figures = {
        one: ratio_of(
            found[one][rows],
            [plain[other][rows] for other in audited.others(one)],
            audited.patients[rows],
            seed=audited.seed,
        )
        for one in audited.subjects
    }
    few = len(audited.retrained) < TWO
    return Row(
        measure=name,
        subset=subset,
        original=figures[audited.original],
        revised=figures[audited.revised],
        retrained=tuple(figures[one] for one in audited.retrained),
        unit="ratio",
        headline=name == "distance_ratio_equally_sure" and subset in SHOWN,
        why="How far retrained networks lie apart takes two of them." if few else None,
    )


def _agreement(audited: Audited, subset: str, rows: Ids) -> Row:
    """Return the mean share of images that a network and a retrained one put into the same class."""
    predicted = {name: audited.table.logits[name][rows].argmax(1) for name in audited.subjects}

    def figure(name: str) -> Figure:
        others = audited.others(name)
        if not others:
            return Figure()
        same = np.mean([predicted[name] == predicted[other] for other in others], axis=0)
        return share(same, audited.patients[rows])

    return Row(
        measure="agreement",
        subset=subset,
        original=figure(audited.original),
        revised=figure(audited.revised),
        retrained=tuple(figure(name) for name in audited.retrained),
    )


def _left_out(
    audited: Audited, logits: Mapping[str, Array], heated: Mapping[str, Array]
) -> dict[str, dict[str, list[float]]]:
    """Return the range of the revised network's ratios by subset when each retrained network is left out in turn."""
    found: dict[str, dict[str, list[float]]] = {}
    if len(audited.retrained) <= TWO:
        return found
    for name, subjects in (("distance_ratio", logits), ("distance_ratio_equally_sure", heated)):
        for subset in audited.subsets:
            rows = audited.rows(subset)
            values = [
                float(_ratio(_sums(subjects[audited.revised][rows], kept, audited.patients[rows]).sum(0)))
                for out in audited.retrained
                for kept in [[logits[one][rows] for one in audited.others(out)]]
            ]
            found.setdefault(name, {})[subset] = [min(values), max(values)]
    return found


DISTANCE = Audit(
    name="distance",
    description=(
        "how far the network's probabilities lie from those of retrained networks, in units of how far these lie from "
        "each other, after one temperature made it as sure as they are: 1 is ideal, more is farther"
    ),
    measure=measure,
)
