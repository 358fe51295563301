"""The anatomy of a phantom head, drawn at random; mri_slice.py paints it.

Coordinates are in mm from the centre of the brain: x to the patient's left, y to the back, z to the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from monai_unlearn.phantom.mri_patients import Tumour

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = npt.NDArray[np.float64]
FloatImage = npt.NDArray[np.float32]

BRAIN_AXES = np.array([66.0, 82.0, 68.0])  # average half axes
NODES = 24  # per side of the random field that makes outlines uneven

# How far above the centre of the brain a slice of a healthy head may lie, in mm.
_LEVELS = (-34.0, 42.0)


@dataclass(frozen=True, kw_only=True)
class Head:
    """A phantom head.

    Attributes:
        axes: Half axes of the brain.
        tumour: The diagnosis.
        middle: The centre of the tumour, or of the slices if there is none.
        radius: Radius of the tumour, in mm.
        uneven: A smooth random field, standard deviation 1; shape (nodes, nodes, nodes).
        ventricles: Factor on the size of the ventricles.
    """

    axes: Floats
    tumour: Tumour
    middle: Floats
    radius: float
    uneven: FloatImage
    ventricles: float


@dataclass(frozen=True, kw_only=True)
class Pose:
    """The pose of a head in the scanner: rotation about its long axis, in radians, and offset, in mm."""

    turn: float
    shift: tuple[float, float]


def draw_head(rng: np.random.Generator, tumour: Tumour, *, brain: float) -> Head:
    """Draw a head with this diagnosis; `brain` is a factor on its brain's axes."""
    axes = BRAIN_AXES * brain * rng.normal(1.0, 0.012, 3)
    uneven = gaussian_filter(rng.standard_normal((NODES,) * 3, dtype=np.float32), 1.1)
    middle, radius = _PLACES[tumour](rng, axes)
    return Head(
        axes=axes,
        tumour=tumour,
        middle=middle,
        radius=radius,
        uneven=uneven / uneven.std(),
        ventricles=float(rng.uniform(0.8, 1.3)),
    )


def draw_pose(rng: np.random.Generator) -> Pose:
    """Draw the pose of a head."""
    return Pose(turn=float(rng.normal(0.0, 0.06)), shift=(float(rng.normal(0.0, 4.0)), float(rng.normal(0.0, 4.0))))


def levels(head: Head, *, slices: int, spacing: float) -> Iterator[float]:
    """Yield the levels of the slices around the tumour, from foot to head, in mm."""
    for number in range(slices):
        yield float(head.middle[2]) + (number - (slices - 1) / 2) * spacing


def _glioma(rng: np.random.Generator, axes: Floats) -> tuple[Floats, float]:
    side = rng.choice((-1.0, 1.0))
    place = np.array([side * rng.uniform(0.38, 0.55), rng.uniform(-0.45, 0.45), rng.uniform(-0.15, 0.45)])
    return place * axes, float(rng.uniform(11.0, 20.0))


def _meningioma(rng: np.random.Generator, axes: Floats) -> tuple[Floats, float]:
    # On the convexity, its base on the dura.
    bearing, height = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(-0.3, 0.55)
    around = np.sqrt(1.0 - height**2)
    direction = np.array([around * np.cos(bearing), around * np.sin(bearing), height])
    return 0.93 * direction * axes, float(rng.uniform(11.0, 19.0))


def _pituitary(rng: np.random.Generator, axes: Floats) -> tuple[Floats, float]:
    place = np.array([rng.normal(0.0, 0.01), -0.25, -0.5]) * axes
    return place, float(rng.uniform(7.0, 13.0))


def _none(rng: np.random.Generator, axes: Floats) -> tuple[Floats, float]:
    return np.array([0.0, 0.0, rng.uniform(*_LEVELS) * axes[2] / BRAIN_AXES[2]]), 0.0


_PLACES = {
    Tumour.GLIOMA: _glioma,
    Tumour.MENINGIOMA: _meningioma,
    Tumour.NONE: _none,
    Tumour.PITUITARY: _pituitary,
}
