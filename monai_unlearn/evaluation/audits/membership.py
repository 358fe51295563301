"""Membership: can the forget images that were trained on be told from images of the cohort that never were?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.evaluation.audits.attacks import iam, loss_threshold, rmia
from monai_unlearn.evaluation.audits.audit import Audit, Audited
from monai_unlearn.evaluation.audits.figure import Figure, Finding, Row, not_measurable
from monai_unlearn.evaluation.audits.patients import matched_auc, share

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]

MEMBERS = "forget_train"
NON_MEMBERS = ("forget_validation", "forget_test")
POPULATION = ("remain_validation", "remain_test")
FITTED = "remain_train"
LOW = 0.01
"""The false-positive rate at which the true-positive rate is measured."""
ENOUGH = 300
"""Non-members from which on it is: 1 % of them is then three images."""
ATTACKS = ("loss", "rmia", "iam")
RATES = tuple(step / 20 for step in range(21))
"""The false-positive rates at which the ROC curve of the loss attack is kept."""


def measure(audited: Audited) -> Finding:
    """Attack every network with a loss threshold, RMIA and IAM.

    Members are the forget part's training images; non-members its images of other splits, which no network was trained
    on: same cohort, and the same class, within which alone images are compared. Images of another camera are no
    substitute: whatever tells cameras apart would count as membership. Out-models are the retrained networks; each of
    these is attacked with the others, so that the revised network's value stands beside what retraining gives.
    """
    rows = audited.rows(MEMBERS, *NON_MEMBERS)
    member = audited.places[rows] == MEMBERS
    classes = audited.labels[rows]
    shared = np.intersect1d(classes[member], classes[~member])
    if not member.any():
        return not_measurable("The forget part has no training images with a finite output of every network.")
    if not len(shared):
        return not_measurable(
            "The cohort has no images that were never trained on and are of the classes of its training images: what a "
            "network remembers of them cannot be told from what it knows of the cohort. Images of other cohorts are no "
            "substitute. A split with more validation or test images has some, if the cohort has patients enough."
        )
    kept = np.isin(classes, shared)
    images = _Images(audited, rows[kept], member[kept], audited.rows(*POPULATION))
    return Finding(
        rows=tuple(row for attack in ATTACKS for row in images.attacked(attack)),
        facts={
            "members": int(images.member.sum()),
            "non_members": int((~images.member).sum()),
            "population": len(images.population),
            "classes": [audited.table.class_names[number] for number in shared],
            "patients": len(np.unique(audited.patients[images.rows])),
            "roc": images.curves(),
        },
    )


class _Images:
    """Members, non-members and the population, with the probability that networks give their true classes."""

    def __init__(self, audited: Audited, rows: Ids, member: npt.NDArray[np.bool_], population: Ids) -> None:
        self.audited, self.rows, self.member, self.population = audited, rows, member, population
        names = audited.subjects
        self.own = {name: audited.own(name, rows) for name in names}
        self.of_population = {name: audited.own(name, population) for name in names}
        fitted = audited.rows(FITTED)
        self.fitted = {name: audited.own(name, fitted) for name in audited.retrained} if len(fitted) else {}

    def attacked(self, attack: str) -> tuple[Row, Row]:
        """Return the rows of an attack: its area, and its true-positive rate at a low false-positive rate."""
        found = {name: self.score(attack, name) for name in self.audited.subjects}
        return (
            self._row(f"auc_{attack}", {name: self._auc(scores) for name, scores in found.items()}, is_area=True),
            self._row(f"tpr_at_1_percent_fpr_{attack}", {name: self._tpr(scores) for name, scores in found.items()}),
        )

    def score(self, attack: str, name: str) -> Array | str:
        """Return the scores of all images, shape (image,), or why there are none."""
        if attack == "loss":
            return loss_threshold(self.own[name])
        others = self.audited.others(name)
        if not others:
            return "It needs a retrained network as out-model, and each of these another one."
        out = np.stack([self.own[other] for other in others])
        if attack == "iam" and not self.fitted:
            return "It needs images that the retrained networks were trained on."
        if attack == "iam":
            return iam(self.own[name], out, fitted=np.stack([self.fitted[other] for other in others]))
        if not len(self.population):
            return "It needs images of the remain part that were never trained on."
        return rmia(
            self.own[name],
            out,
            population=self.of_population[name],
            population_out=np.stack([self.of_population[other] for other in others]),
        )

    def curves(self) -> dict[str, Any]:
        """Return the ROC curve of the loss attack on each network, as rates of false and of true positives.

        A threshold is set within each class, as the area compares images: at a rate f it is the score that a share f of
        the class's non-members exceeds.
        """
        return {
            "attack": ATTACKS[0],
            "false_positive_rates": list(RATES),
            "true_positive_rates": {
                name: [self._caught(loss_threshold(own), rate) for rate in RATES] for name, own in self.own.items()
            },
        }

    def _caught(self, scores: Array, rate: float) -> float:
        """Return the share of members above the threshold of their class, rounded: a curve shows no single image."""
        classes, above = self.audited.labels[self.rows], np.zeros(len(scores), dtype=bool)
        for number in np.unique(classes):
            of = classes == number
            others = np.sort(scores[of & ~self.member])[::-1]
            reached = round(rate * len(others))
            above |= of & (scores > others[reached] if reached < len(others) else True)
        return round(float(above[self.member].mean()), 3)

    def _auc(self, scores: Array | str) -> Figure | str:
        if isinstance(scores, str):
            return scores
        audited, rows = self.audited, self.rows
        return matched_auc(scores, member=self.member, classes=audited.labels[rows], patients=audited.patients[rows])

    def _tpr(self, scores: Array | str) -> Figure | str:
        """Return the share of members above the score that 1 % of the non-members exceed; classes count together."""
        if isinstance(scores, str):
            return scores
        count = int((~self.member).sum())
        if count < ENOUGH:
            return f"There are {count} images that were never trained on; {ENOUGH} are needed."
        limit = np.sort(scores[~self.member])[::-1][int(LOW * count)]
        above = (scores[self.member] > limit).astype(float)
        return share(above, self.audited.patients[self.rows[self.member]])

    def _row(self, measure: str, found: dict[str, Figure | str], *, is_area: bool = False) -> Row:
        figures = {name: Figure() if isinstance(one, str) else one for name, one in found.items()}
        why = next((one for one in found.values() if isinstance(one, str)), None)
        return Row(
            measure=measure,
            subset=MEMBERS,
            original=figures[self.audited.original],
            revised=figures[self.audited.revised],
            retrained=tuple(figures[name] for name in self.audited.retrained),
            unit="ratio" if is_area else "share",
            headline=is_area,
            why=why,
        )


MEMBERSHIP = Audit(
    name="membership",
    description=(
        "how well an attack tells forget training images from images of the same class and cohort that no network was "
        "trained on, as an area under the curve: 0.5 is chance, and the aim is the range of the retrained networks"
    ),
    measure=measure,
)
