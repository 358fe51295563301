"""Membership attacks: a score for each image, the higher the likelier the network was trained on it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import gumbel_r

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

OFFLINE_A = 0.3
"""What a network trained with an image gives it follows from one trained without: p_in = a·p_out + 1 − a."""
GAMMA = 1.0
"""How many times likelier than a population image an image must be."""
STEPS = 100
"""Points of the interpolation of IAM."""
EPSILON_LOSS, EPSILON_PROBABILITY = 1e-2, 1e-5
_SMALLEST = 1e-30


def loss_threshold(own: Array) -> Array:
    """Return −loss of each image, ln p (Yeom et al. 2018, arXiv 1709.01604, section 3.3); any rising scale would do."""
    return np.log(np.maximum(own, _SMALLEST))


def rmia(own: Array, out: Array, *, population: Array, population_out: Array) -> Array:
    """Return the share of population images than which each image is likelier, each relative to the out-models.

    Zarifzadeh et al. 2024 (arXiv 2312.03262), equations 2 to 4 and the offline form of their section 3: with
    p(x) = ((1 + a)·mean p_out(x) + 1 − a)/2, the score is the share of z with (p_θ(x)/p(x)) / (p_θ(z)/p(z)) ≥ γ. We
    take softmax probabilities, a = 0.3 and γ = 1, untuned.

    Args:
        own: The probability of each image's true class under the network, shape (image,).
        out: The same under networks that were not trained on the images, shape (network, image).
        population: As `own` for images that none of the networks was trained on, shape (population image,).
        population_out: As `out` for these, shape (network, population image).
    """

    def ratio(probability: Array, references: Array) -> Array:
        average = ((1 + OFFLINE_A) * references.mean(0) + 1 - OFFLINE_A) / 2
        return np.asarray(probability / average)

    reached = np.sort(GAMMA * ratio(population, population_out))
    return np.asarray(np.searchsorted(reached, ratio(own, out), side="right") / len(reached))


def iam(own: Array, out: Array, *, fitted: Array) -> Array:
    """Return where each image lies between networks never trained on it, near 0, and a network that fits it, near 1.

    Interpolated approximate measurement (arXiv 2506.06112), offline form: with s(p) = −ln(ε₁ − ln(ε₂ + p)), scaled
    to [0, 1], the levels s_out + t·(s_fit − s_out) for t from 0 to 1 each have a Gumbel distribution whose mean is that
    of the out-models for the image, and whose variance is that over all of these and all images. The score is the mean
    of its CDF at the network's own signal, weighted by t of the next level. s_fit is the mean signal of the out-models
    on images that they were trained on. (Online, it is that of the original for the image itself: members then have
    wider intervals than non-members, and a network that never saw either is taken for one that over-forgot.)

    Args:
        own: The probability of each image's true class under the network, shape (image,).
        out: The same under networks that were not trained on the images, shape (network, image).
        fitted: The same of images that these networks were trained on, shape (network, fitted image).
    """
    signal, level_fit, shadows = _signal(own), float(_signal(fitted).mean()), _signal(out)
    levels = np.linspace(0, 1, STEPS)
    score = np.zeros(len(own))
    for level, weight in itertools.pairwise(levels):
        between = shadows + level * (level_fit - shadows)
        scale = max(float(between.std()) * np.sqrt(6) / np.pi, _SMALLEST)
        with np.errstate(over="ignore"):  # far below the mean the CDF is 0
            score += weight * gumbel_r.cdf(signal, between.mean(0) - np.euler_gamma * scale, scale)
    return np.asarray(score / levels[1:].sum())


def _signal(probability: Array) -> Array:
    lowest, highest = (
        -np.log(EPSILON_LOSS - np.log(EPSILON_PROBABILITY + 0.0)),
        -np.log(EPSILON_LOSS - np.log(EPSILON_PROBABILITY + 1.0)),
    )
    found = -np.log(EPSILON_LOSS - np.log(EPSILON_PROBABILITY + probability))
    return np.asarray((found - lowest) / (highest - lowest))
