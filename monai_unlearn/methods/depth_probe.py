"""Probes of a block's features: do they tell a cohort from the rest, and have they learnt to classify it?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from sklearn.pipeline import Pipeline

    Array = npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int64]
    Rows = npt.NDArray[np.bool_]

# A strong penalty, for there are often more features than images.
_INVERSE_PENALTY = 0.1
# Fewer images of a class on either side say nothing about it.
MIN_OF_A_CLASS = 2
# By how many standard errors a probe must be better than chance for a ratio to mean anything.
CLEARLY = 2.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """Features of one block for the images of one part.

    Attributes:
        features: Shape (image, feature).
        labels: Shape (image,).
    """

    features: Array
    labels: Labels

    def of(self, rows: Rows) -> Part:
        """Return some of the images."""
        return Part(features=self.features[rows], labels=self.labels[rows])


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its standard error."""

    value: float
    error: float

    def low(self, level: float) -> float:
        """Return the one-sided lower bound at a level such as 0.975."""
        return float(self.value - norm.ppf(level) * self.error)


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """How much of what probes learn on remain images carries over to the cohort.

    With the mean recall on the cohort c, that on the rest r, and 1/K by chance, transfer is (c − 1/K) / (r − 1/K): 1
    where the cohort is classified as well as the rest, 0 where it is not classified at all.

    Attributes:
        original: With features of the original network.
        fresh: With features of a fresh network.
        gain: The difference: what training taught the block about the cohort.
    """

    original: float
    fresh: float
    gain: Estimate


def cohort_auc(cohort: Part, rest: Part, *, judged: tuple[Part, Part] | None, seed: int) -> Estimate | None:
    """Return how well a linear probe tells a cohort from the rest within classes: 0.5 by chance, 1 always.

    The probe is a logistic regression in which both sides of each class weigh the same, so that neither the classes
    nor their mix helps. Its AUC is taken class by class and averaged by the cohort's classes; its error is that of the
    AUC by chance (Mann and Whitney 1947), which is never smaller where the AUC is above 0.5.

    Args:
        cohort: Training images of the forget part.
        rest: Training images of the remain part.
        judged: Never-trained images of both; None where there are none: each half of the training images is judged by
            the probe of the other half.
        seed: Draws the halves.

    Returns:
        None where no class has two images on both sides.
    """
    plans = [(cohort, rest, *judged)] if judged else [*_halves(cohort, rest, seed)]
    found = []
    for first, second, third, fourth in plans:
        probe = _separator(first, second)
        scored = None if probe is None else _auc(probe, third, fourth)
        if scored is not None:
            found.append(scored)
    if not found:
        return None
    value = float(np.mean([one.value for one in found]))
    return Estimate(value=value, error=float(np.sqrt(np.mean([one.error**2 for one in found]) / len(found))))


def transfer(cohort: tuple[Part, Part], rest: tuple[Part, Part], *, seed: int) -> Transfer | None:
    """Return how well classes learnt on the rest carry over to the cohort, in the original and in a fresh network.

    A probe learns the classes from half of the remain images and is asked about the other half and about the cohort, in
    both directions. Recalls are those of the cohort's classes, weighted by its own. Both sides are images that the
    original was trained on, so that memorisation favours neither. The error is that of the ratios to
    first order, with each image compared with itself in the other network.

    Args:
        cohort: Training images of the forget part: features of the original, and of a fresh network.
        rest: The same of remain.
        seed: Draws the halves.

    Returns:
        None where no class has two images on both sides, or a probe on either network's features is not clearly better
        than chance on the rest.
    """
    labels, others = cohort[0].labels, rest[0].labels
    classes, chance = shared_classes(labels, others), 1 / len(np.unique(others))
    half = _half_of(others, seed)
    if not classes or min(len(np.unique(others[half])), len(np.unique(others[~half]))) < MIN_OF_A_CLASS:
        return None
    weights = np.array([(labels == name).mean() for name in classes])
    weights /= weights.sum()

    def mean(values: Array, of: Labels) -> Estimate:
        return _mean(values, of, weights=weights, classes=classes)

    ratios, mine, theirs = [], [], []
    for one, other in zip(cohort, rest, strict=True):
        correct, correct_rest = _correct(one, other, half)
        above = mean(correct_rest, others).value - chance
        if above <= CLEARLY * mean(correct_rest, others).error:
            return None
        ratios.append((mean(correct, labels).value - chance) / above)
        mine.append(correct / above)
        theirs.append(-ratios[-1] * correct_rest / above)
    errors = [mean(values[0] - values[1], of).error for values, of in ((mine, labels), (theirs, others))]
    difference = Estimate(value=ratios[0] - ratios[1], error=float(np.hypot(errors[0], errors[1])))
    return Transfer(original=ratios[0], fresh=ratios[1], gain=difference)


def _mean(values: Array, of: Labels, *, weights: Array, classes: Sequence[int]) -> Estimate:
    """Return the mean over images of each class, weighted by class."""
    groups = [values[of == name] for name in classes]
    variances = np.array([group.var() / len(group) for group in groups])
    value = weights @ np.array([group.mean() for group in groups])
    return Estimate(value=float(value), error=float(np.sqrt(weights**2 @ variances)))


def _correct(cohort: Part, rest: Part, half: Rows) -> tuple[Array, Array]:
    """Return how often each image is classified correctly, by probes that did not learn from it."""
    own, theirs = np.zeros(len(cohort.labels)), np.zeros(len(rest.labels))
    for learns in (half, ~half):
        probe = _fitted(rest.of(learns).features, rest.labels[learns])
        own += (probe.predict(cohort.features) == cohort.labels) / 2
        theirs[~learns] = probe.predict(rest.features[~learns]) == rest.labels[~learns]
    return own, theirs


def _separator(cohort: Part, rest: Part) -> Pipeline | None:
    features = np.concatenate([cohort.features, rest.features])
    labels = np.concatenate([cohort.labels, rest.labels])
    side = np.repeat([1, 0], [len(cohort.labels), len(rest.labels)])
    weights = np.zeros(len(labels))
    for name in shared_classes(cohort.labels, rest.labels):
        for one in (0, 1):
            chosen = (labels == name) & (side == one)
            # The class weighs as in the cohort, half on each side.
            weights[chosen] = (cohort.labels == name).sum() / chosen.sum()
    used = weights > 0
    return _fitted(features[used], side[used], weights[used] / weights[used].mean()) if used.any() else None


def _auc(probe: Pipeline, cohort: Part, rest: Part) -> Estimate | None:
    """Return the AUC within classes, weighted by the cohort's."""
    found = []
    for name in shared_classes(cohort.labels, rest.labels):
        mine, theirs = (probe.decision_function(part.of(part.labels == name).features) for part in (cohort, rest))
        above = (mine[:, None] > theirs) + 0.5 * (mine[:, None] == theirs)
        m, n = above.shape
        found.append((m, above.mean(), (m + n + 1) / (12 * m * n)))
    if not found:
        return None
    counts, values, variances = (np.array(column) for column in zip(*found, strict=True))
    weights = counts / counts.sum()
    return Estimate(value=float(weights @ values), error=float(np.sqrt(weights**2 @ variances)))


def _fitted(features: Array, targets: Labels, weights: Array | None = None) -> Pipeline:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    balance = "balanced" if weights is None else None
    regression = LogisticRegression(C=_INVERSE_PENALTY, class_weight=balance, max_iter=300)
    with warnings.catch_warnings():
        # A probe that is not quite at its optimum is as good a probe.
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe = make_pipeline(StandardScaler(), regression)
        return probe.fit(features, targets, logisticregression__sample_weight=weights)


def shared_classes(labels: Labels, others: Labels) -> list[int]:
    """Return the classes with enough images on both sides."""
    return [
        int(name) for name in np.unique(labels) if min((labels == name).sum(), (others == name).sum()) >= MIN_OF_A_CLASS
    ]


def _half_of(labels: Labels, seed: int) -> Rows:
    """Return half of the images of each class."""
    order, half = np.random.default_rng(seed).permutation(len(labels)), np.zeros(len(labels), dtype=bool)
    for name in np.unique(labels):
        half[order[labels[order] == name][::2]] = True
    return half


def _halves(cohort: Part, rest: Part, seed: int) -> Iterator[tuple[Part, Part, Part, Part]]:
    mine, theirs = _half_of(cohort.labels, seed), _half_of(rest.labels, seed)
    for a, b in ((mine, theirs), (~mine, ~theirs)):
        yield cohort.of(a), rest.of(b), cohort.of(~a), rest.of(~b)
