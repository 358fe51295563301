"""The blood vessels of a phantom retina: four arcades and their branches, grown from the optic disc."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = npt.NDArray[np.float64]

VEIN_WIDTH = 0.036
ARTERY_WIDTH = 0.026
TAPER = 0.4  # the share of its width that a vessel loses along its course

_STEP = 0.03  # between two points of a vessel, in retina units
_THINNEST = 0.006
_GENERATIONS = 3
_SHORTEST = 3  # points
_MISSING = 0.15  # the share of side branches that never grow
_SPARED = 0.16  # no vessel comes closer to the fovea, in retina units

# The arcades of a right eye: bearing at the disc and total turn, in degrees (0 = nasal, 90 = inferior),
# and length in retina units. The temporal ones bend around the macula.
_ARCADES = ((-115.0, -82.0, 2.0), (115.0, 82.0, 2.0), (-62.0, 35.0, 1.1), (62.0, -35.0, 1.1))
_TWIGS = (-158.0, 176.0, 155.0)  # bearings of the small vessels between disc and macula


@dataclass(frozen=True)
class Vessel:
    """One unbranched vessel.

    Attributes:
        points: Its course, shape (points, 2): x and y in retina units.
        width: Its width at the start, in retina units; it tapers by `TAPER`.
        artery: Whether it is an artery: thinner, brighter, with a central reflex.
    """

    points: Floats
    width: float
    artery: bool


@dataclass(frozen=True)
class _Bud:
    """The start of a vessel: bearing and total turn in radians, lengths in retina units."""

    start: Floats
    bearing: float
    turn: float
    length: float
    width: float
    artery: bool
    generation: int


def grow(rng: np.random.Generator, *, disc: Floats, macula: Floats) -> tuple[Vessel, ...]:
    """Grow the vessel trees of a right eye.

    Args:
        rng: Random generator of their courses.
        disc: The point of the optic disc that they leave from, x and y in retina units.
        macula: The centre of the zone that they spare.
    """
    vessels: list[Vessel] = []
    buds = [*_arcades(rng, disc), *_twigs(rng, disc)]
    while buds:
        bud = buds.pop()
        points = _course(rng, bud, macula)
        if len(points) >= _SHORTEST:
            vessels.append(Vessel(points, bud.width, bud.artery))
            buds.extend(_side_buds(rng, bud, points))
    return tuple(vessels)


def _arcades(rng: np.random.Generator, disc: Floats) -> Iterator[_Bud]:
    for bearing, turn, length in _ARCADES:
        for artery in (True, False):
            # The artery of a pair runs outside the bend of its vein.
            apart = math.copysign(5.0, turn) * (-1.0 if artery else 1.0)
            yield _Bud(
                start=disc + rng.normal(0.0, 0.012, 2),
                bearing=math.radians(bearing + apart + rng.normal(0.0, 7.0)),
                turn=math.radians(turn * rng.uniform(0.8, 1.1)),
                length=length * rng.uniform(0.9, 1.1),
                width=(ARTERY_WIDTH if artery else VEIN_WIDTH) * rng.uniform(0.85, 1.1),
                artery=artery,
                generation=0,
            )


def _twigs(rng: np.random.Generator, disc: Floats) -> Iterator[_Bud]:
    for bearing in _TWIGS:
        yield _Bud(
            start=disc,
            bearing=math.radians(bearing + rng.normal(0.0, 8.0)),
            turn=rng.normal(0.0, 0.4),
            length=rng.uniform(0.35, 0.6),
            width=rng.uniform(0.010, 0.014),
            artery=bool(rng.integers(2)),
            generation=1,
        )


def _course(rng: np.random.Generator, bud: _Bud, macula: Floats) -> Floats:
    """Return the course of a vessel: along its turn, with some random deviation, ending before the fovea."""
    count = max(3, int(bud.length / _STEP))
    along = np.arange(count) / (count - 1)
    wander = np.cumsum(rng.standard_normal(count)) * 0.075
    bearings = bud.bearing + wander + (bud.turn - 0.7 * wander[-1]) * along
    points = np.empty((count, 2))
    np.cumsum(np.cos(bearings), out=points[:, 0])
    np.cumsum(np.sin(bearings), out=points[:, 1])
    points *= _STEP
    points += bud.start - points[0]
    from_fovea = points - macula
    spared = (from_fovea * from_fovea).sum(axis=1) < _SPARED**2
    return points[: int(spared.argmax())] if spared.any() else points


def _side_buds(rng: np.random.Generator, bud: _Bud, points: Floats) -> Iterator[_Bud]:
    """Yield the branches of a vessel, to alternate sides; they soon run parallel to it."""
    if bud.generation >= _GENERATIONS:
        return
    count = len(points)
    places = range(int(rng.integers(3, 8)), count - 4, 6 + 2 * bud.generation)
    chances = rng.random((len(places), 6)).tolist()
    side = rng.choice((-1.0, 1.0))
    for regular, (jitter, narrowing, missing, angle, turning, shortening) in zip(places, chances, strict=True):
        place = regular + int(5 * jitter) - 2
        gone = place / count
        width = bud.width * (1.0 - TAPER * gone) * (0.4 + 0.35 * narrowing)
        side = -side
        if width < _THINNEST or missing < _MISSING:
            continue
        apart = side * (0.45 + 0.5 * angle)
        ahead = points[place + 1] - points[place]
        yield _Bud(
            start=points[place],
            bearing=math.atan2(ahead[1], ahead[0]) + apart,
            turn=apart * (0.2 - turning),
            length=(0.2 + 0.6 * bud.length * (1.0 - gone)) * (0.5 + 0.5 * shortening),
            width=width,
            artery=bud.artery,
            generation=bud.generation + 1,
        )
