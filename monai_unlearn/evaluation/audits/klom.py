"""KLoM: image by image, is the distribution of margins over many unlearned networks that of retrained ones?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from monai_unlearn.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

FEWEST = 20
"""Networks on each side: fewer do not fill a histogram."""
BINS, EPSILON, CLIP = 20, 1e-5, 100.0


@dataclass(frozen=True, kw_only=True)
class Klom:
    """KLoM image by image.

    Attributes:
        values: KL(unlearned ‖ retrained) of the margins of each image in nats, shape (image,).
        floor: The same of one half of the retrained networks against the other, what chance alone gives.
    """

    values: Array
    floor: Array

    def summary(self) -> dict[str, float]:
        """Return the mean and the 95th percentile over images, each with that of the floor."""
        found = {"": self.values, "floor_": self.floor}
        return {
            f"{which}{name}": float(of(values))
            for which, values in found.items()
            for name, of in (("mean", np.mean), ("percentile_95", lambda v: np.percentile(v, 95)))
        }


def margins(logits: Array, classes: npt.NDArray[np.int64]) -> Array:
    """Return logit_y − ln Σ_{k≠y} exp(logit_k) of each image, clipped to ±100.

    Args:
        logits: Shape (…, image, class), at least two classes.
        classes: The true class of each image, shape (image,).

    Returns:
        Shape (…, image).
    """
    own = np.take_along_axis(logits, np.broadcast_to(classes[:, None], (*logits.shape[:-1], 1)), axis=-1)
    rest = np.where(np.eye(logits.shape[-1], dtype=bool)[classes], -np.inf, logits)
    return np.asarray(np.clip(own[..., 0] - logsumexp(rest, axis=-1), -CLIP, CLIP))


def klom(unlearned: Array, retrained: Array) -> Klom:
    """Compare the margins of N unlearned networks with those of N retrained ones, image by image.

    Georgiev et al. 2024 (arXiv 2410.23232, section 2): the KL of two histograms with 20 common bins, to which 1e-5 is
    added. Where networks are few it is biased upwards, so that the floor stands beside it; the floor has half as many
    networks on each side, and is therefore rather too high than too low.

    Args:
        unlearned: The margins of networks that each were trained with the cohort and then forgot it, (network, image).
        retrained: The margins of networks trained without it, (network, image).

    Raises:
        DataError: There are fewer than 20 networks on a side, or the images differ in number.

    >>> draws = np.random.default_rng(0).normal(size=(2, 40, 3))
    >>> found = klom(draws[0] + np.array([0.0, 0.0, 9.0]), draws[1])
    >>> (found.values > 5).tolist()
    [False, False, True]
    """
    for name, found in (("unlearned", unlearned), ("retrained", retrained)):
        if found.ndim != 2 or len(found) < FEWEST:  # noqa: PLR2004 - axes: networks and images
            raise DataError(
                f"KLoM: expected margins of at least {FEWEST} {name} networks, shape (network, image), "
                f"got {found.shape}."
            )
    if unlearned.shape[1] != retrained.shape[1]:
        raise DataError(
            f"KLoM: expected margins of the same images, got {unlearned.shape[1]} unlearned and {retrained.shape[1]} "
            "retrained ones."
        )
    half = len(retrained) // 2
    return Klom(values=_divergences(unlearned, retrained), floor=_divergences(retrained[:half], retrained[half:]))


def _divergences(first: Array, second: Array) -> Array:
    return np.array([_divergence(a, b) for a, b in zip(first.T, second.T, strict=True)])


def _divergence(first: Array, second: Array) -> float:
    both = np.clip(np.concatenate([first, second]), -CLIP, CLIP)
    edges = np.histogram_bin_edges(both, bins=BINS)
    p, q = (np.histogram(np.clip(one, -CLIP, CLIP), bins=edges)[0] / len(one) + EPSILON for one in (first, second))
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())
