"""Selective forgetting: units are drawn by hash, so that the same seed keeps its choice when an index grows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from monai_unlearn.cohort.spec.document import Sample

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]


def drawn(units: Sequence[str], sample: Sample, strata: Numbers | None = None) -> Mask:
    """Draw a share or a number of the units.

    A unit's place depends only on the seed and on the unit itself.

    With `fraction` f, every unit whose place in [0, 1) is below f is drawn, so on a grown index every earlier
    draw is kept. Each stratum gives about f of its units; the larger the stratum, the closer. Exactly f of each is
    impossible: a rule that never takes a draw back, and draws every unit with the same probability f in small and
    large indexes, cannot depend on the other units at all. So strata do not change this draw; the report says how
    far each stratum's share is from f.

    With `count` n, the first n units by place are drawn, so on a grown index only new units can displace an earlier
    draw. With strata, n is divided among them by Webster's method (Sainte-Laguë), and each stratum gives its first
    units; ties between strata go to the unit with the lower place. A larger n then contains a smaller one, which
    largest remainders would not ensure. When strata grow unequally, their shares of n shift, and so does how many
    units each gives, but never their order.

    One unit costs one SHA-256: a million units take about a second.

    Args:
        units: The units to draw from, all different.
        sample: How many to draw, and the seed.
        strata: The number of each unit's stratum, at least 0, shape (units,).

    Returns:
        Whether each unit is drawn, shape (units,).
    """
    digests = _digests(units, sample.seed)
    if sample.fraction is not None:
        chosen: Mask = _places(digests) < sample.fraction
        return chosen
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    if strata is not None:
        turns = _turns(strata[order])
        order = order[np.argsort(turns, kind="stable")]
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[: sample.count]] = True
    return chosen


def sample_text(sample: Sample, *, counted: bool = True) -> str:
    """Return a sample in one line, such as `sample: count 7 by image, seed 0`.

    Args:
        sample: What is drawn.
        counted: Whether to show how many units are drawn; a reader of suppressed counts must not see it.
    """
    size = (
        f"fraction {sample.fraction:g}" if sample.fraction is not None else f"count {sample.count if counted else '…'}"
    )
    strata = "" if sample.stratify is None else f", stratified by {', '.join(sample.stratify)}"
    return f"sample: {size} by {sample.by}{strata}, seed {sample.seed}"


def place_of(unit: str, seed: int) -> float:
    """Return a unit's place in [0, 1): the first 53 bits of a SHA-256, which a float holds exactly.

    The prefix `sample:` keeps the draw independent of the split into train and test, which hashes the same
    patients: without it, a half drawn with the same seed would contain all test patients.
    """
    return float(_places(_digests([unit], seed))[0])


def _digests(units: Iterable[str], seed: int) -> npt.NDArray[np.uint64]:
    """Return the first 128 bits of each unit's SHA-256, as two numbers, shape (units, 2)."""
    head = f"sample:{seed}:".encode()
    digests = b"".join([hashlib.sha256(head + unit.encode()).digest()[:16] for unit in units])
    return np.frombuffer(digests, ">u8").astype(np.uint64).reshape(-1, 2)


def _places(digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    places: npt.NDArray[np.float64] = (digests[:, 0] >> np.uint64(11)) / 2.0**53
    return places


def _turns(strata: Numbers) -> npt.NDArray[np.float64]:
    """Return each unit's turn: the k-th unit of a stratum of m units has turn (2 k - 1) / m.

    Args:
        strata: The strata of the units, ordered by place, shape (units,).
    """
    together = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    before = np.cumsum(sizes) - sizes
    turns = np.empty(len(strata))
    turns[together] = (2 * (np.arange(len(strata)) - before[strata[together]]) + 1) / sizes[strata[together]]
    return turns
