"""A limit on the mean of bounded values that needs no normality: Gaffke's.

Gaffke 2005 (Mathematical Methods of Statistics 14:437); in the form used here: Learned-Miller and Thomas 2019
(arXiv 1905.06208). The upper limit at error a is the 1 − a quantile of Σ wᵢ xᵢ over the n values and one more at the
upper bound, with weights uniform on the simplex. For values 0 and 1 it is the Clopper-Pearson limit; for n equal values
at distance b from the bound it is b·(1 − a^(1/n)) above them, the rule of three. That it covers every bounded
distribution is conjectured, proven for special cases, and has withstood every search for a counterexample.

The quantile is that of the wider of two distributions with the moments of the weighted sum: a beta distribution between
the smallest value and the bound, which is exact for two values, and Pearson's type III, which matches the skewness too.
The tests compare both with simulated quantiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

# A skewness below this is none: Pearson's type III then is the normal distribution.
SYMMETRIC = 1e-3


@dataclass(frozen=True)
class Moments:
    """What limits need of n values in each of m columns: their smallest and largest, mean, second and third moment."""

    n: int
    smallest: Array
    largest: Array
    mean: Array
    second: Array
    third: Array

    @classmethod
    def of(cls, values: Array) -> Moments:
        """Return the moments of values, shape (n, m), about their mean."""
        mean = values.mean(0)
        centred = values - mean
        squared = centred * centred
        third = np.einsum("ij,ij->j", squared, centred) / len(values)
        return cls(len(values), values.min(0), values.max(0), mean, squared.mean(0), third)

    def mirrored(self) -> Moments:
        """Return the moments of the values with their signs changed."""
        return Moments(self.n, -self.largest, -self.smallest, -self.mean, self.second, -self.third)


def distance_above(moments: Moments, level: float | Array, *, bound: float = 1.0) -> Array:
    """Return how far the upper limit lies above the mean, at least 0, shape (m,).

    Args:
        moments: Those of the values, all at most `bound`.
        level: The one-sided error a, in (0, 1), shape () or (m,).
        bound: The largest value possible.
    """
    n, total = moments.n, moments.n + 1
    step = np.maximum(bound - moments.mean, 0.0)
    # The n values and one at the bound: their mean, and central moments about it.
    mean = moments.mean + step / total
    second = (n * moments.second + n / total * step**2) / total
    shift = step / total
    third = (n * (moments.third - 3 * shift * moments.second - shift**3) + (n * shift) ** 3) / total
    # Of the weighted sum, with weights uniform on the simplex.
    variance = second / (total + 1)
    deviation = np.sqrt(variance)
    skewness = np.divide(
        2 * third / ((total + 1) * (total + 2)), deviation**3, out=np.zeros_like(deviation), where=deviation > 0
    )
    pearson = mean + deviation * _pearson_quantile(skewness, level)
    beta = _beta_quantile(mean, variance, np.minimum(moments.smallest, bound), bound, level)
    return np.asarray(np.clip(np.maximum(pearson, beta) - moments.mean, 0.0, step))


def _pearson_quantile(skewness: Array, level: float | Array) -> Array:
    """Return the 1 − level quantile of Pearson's type III with mean 0, variance 1 and this skewness."""
    normal = -special.ndtri(level) * np.ones_like(skewness)
    skewed = np.abs(skewness) > SYMMETRIC
    shape = 4 / np.where(skewed, skewness, 1.0) ** 2
    right = special.gammainccinv(shape, level)
    left = special.gammaincinv(shape, level)
    quantile = np.where(skewness > 0, right - shape, shape - left) / np.sqrt(shape)
    return np.asarray(np.where(skewed, quantile, normal))


def _beta_quantile(mean: Array, variance: Array, low: Array, high: float, level: float | Array) -> Array:
    """Return the 1 − level quantile of the beta distribution on [low, high] with this mean and variance."""
    width = high - low
    known = (width > 0) & (variance > 0)
    share = np.where(known, (mean - low) / np.where(known, width, 1.0), 0.5)
    spread = np.where(known, variance / np.where(known, width, 1.0) ** 2, 1 / 12)
    size = np.maximum(share * (1 - share) / spread - 1, 1e-9)
    quantile = special.betaincinv(share * size, (1 - share) * size, 1 - np.asarray(level))
    return np.asarray(np.where(known, low + width * quantile, mean))
