"""A phantom head: its anatomy, and its brightness in T1-weighted MR with contrast agent.

Coordinates are in mm from the centre of the brain: x to the patient's left, y to the back, z to the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates

from monai_unlearn.phantom.mri_patients import Tumour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.phantom.mri_scanners import Scanner

Floats = npt.NDArray[np.float64]
FloatImage = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]

FIELD_OF_VIEW = 220.0  # mm
BRAIN, LESION = 1, 2  # values of the label map

_BRAIN_AXES = np.array([66.0, 82.0, 68.0])
_SHELLS = ((1.22, 0.85), (1.13, 0.06), (1.06, 0.16))  # scalp, skull, fluid: factor on the brain's axes, brightness
_GREY, _WHITE, _FLUID, _OEDEMA, _NECROSIS = 0.46, 0.62, 0.14, 0.36, 0.20
_CORTEX = 0.91  # the share of the brain's radius at which the cortex begins
_VENTRICLE_AXES = np.array([6.0, 24.0, 11.0])
_VENTRICLE_MIDDLES = np.array([[-10.0, 2.0, 8.0], [10.0, 2.0, 8.0]])
_OEDEMA_REACH, _CORE, _RIM = 1.5, 0.62, 1.0  # of a glioma, in its radii

_NODES, _EXTENT = 24, 130.0  # of the random field that makes outlines uneven; mm from the centre
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
    axes = _BRAIN_AXES * brain * rng.normal(1.0, 0.012, 3)
    uneven = gaussian_filter(rng.standard_normal((_NODES,) * 3, dtype=np.float32), 1.1)
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
    return np.array([0.0, 0.0, rng.uniform(*_LEVELS) * axes[2] / _BRAIN_AXES[2]]), 0.0


_PLACES = {
    Tumour.GLIOMA: _glioma,
    Tumour.MENINGIOMA: _meningioma,
    Tumour.NONE: _none,
    Tumour.PITUITARY: _pituitary,
}


def slice_at(head: Head, pose: Pose, *, level: float, size: int) -> tuple[FloatImage, FloatImage, Labels]:
    """Return an axial slice, before a scanner renders it.

    Args:
        head: The head.
        pose: Its pose in the scanner.
        level: Height above the centre of the brain, in mm.
        size: Pixels per side, over `FIELD_OF_VIEW`.

    Returns:
        The brightness without contrast agent and the brightness that the agent adds, each 0 to about 1, and the label
        map; each of shape (size, size), rows to the back and columns to the patient's left.
    """
    x, y = _grid(pose, size)
    points = np.stack([x, y, np.full_like(x, level)])
    uneven = _sample(head.uneven, points)
    radius = np.sqrt(sum((points[axis] / head.axes[axis]) ** 2 for axis in range(3))) * (1 + 0.012 * uneven)
    image = _paint_shells(radius)
    inside = radius < 1.0
    # The cortex is folded: its inner border is uneven.
    tissue = np.where(radius * (1 + 0.05 * uneven) > _CORTEX, _GREY, _WHITE)
    image[inside] = tissue[inside]
    image[_in_ventricles(head, points) & inside] = _FLUID
    # The falx divides the hemispheres in the upper part of the brain.
    image[(np.abs(x) < 1.0) & inside & (points[2] > 0) & (np.abs(y) > 0.4 * head.axes[1])] = _FLUID
    labels = np.where(inside, BRAIN, 0).astype(np.uint8)
    added = np.zeros_like(image)
    if head.tumour is not Tumour.NONE:
        _paint_tumour(head, points, uneven, inside, image=image, added=added, labels=labels)
    return image, added, labels


def _grid(pose: Pose, size: int) -> tuple[FloatImage, FloatImage]:
    """Return x and y of every pixel in the frame of the head."""
    offsets = ((np.arange(size, dtype=np.float32) + np.float32(0.5)) / size - np.float32(0.5)) * FIELD_OF_VIEW
    across, down = offsets[None, :] - np.float32(pose.shift[0]), offsets[:, None] - np.float32(pose.shift[1])
    cosine, sine = np.float32(np.cos(pose.turn)), np.float32(np.sin(pose.turn))
    return cosine * across + sine * down, cosine * down - sine * across


def _sample(field: FloatImage, points: FloatImage) -> FloatImage:
    nodes = (points / np.float32(_EXTENT) + 1) * np.float32((_NODES - 1) / 2)
    sampled: FloatImage = map_coordinates(field, nodes, order=1, mode="nearest")
    return sampled


def _paint_shells(radius: FloatImage) -> FloatImage:
    image = np.zeros_like(radius)
    for factor, brightness in _SHELLS:
        image[radius < factor] = brightness
    return image


def _in_ventricles(head: Head, points: FloatImage) -> npt.NDArray[np.bool_]:
    found = np.zeros(points.shape[1:], dtype=bool)
    scale = head.axes / _BRAIN_AXES
    for middle in _VENTRICLE_MIDDLES:
        axes = _VENTRICLE_AXES * scale * head.ventricles
        found |= sum(((points[axis] - middle[axis] * scale[axis]) / axes[axis]) ** 2 for axis in range(3)) < 1.0
    return found


def _paint_tumour(
    head: Head,
    points: FloatImage,
    uneven: FloatImage,
    inside: npt.NDArray[np.bool_],
    *,
    image: FloatImage,
    added: FloatImage,
    labels: Labels,
) -> None:
    distance = np.sqrt(sum((points[axis] - head.middle[axis]) ** 2 for axis in range(3))) / head.radius
    if head.tumour is Tumour.GLIOMA:
        # It infiltrates: an uneven rim that enhances, around a necrotic core, within oedema.
        distance = distance * (1 + 0.22 * uneven)
        image[(distance < _OEDEMA_REACH) & inside] = _OEDEMA
        lesion = (distance < _RIM) & inside
        core = (distance < _CORE) & inside
        added[lesion] = 0.55
        image[core], added[core] = _NECROSIS, 0.0
    else:
        # It displaces: a smooth outline, evenly bright, well delineated.
        lesion = distance * (1 + 0.03 * uneven) < 1.0
        lesion &= inside | (image == np.float32(_SHELLS[2][1]))
        image[lesion], added[lesion] = _GREY, 0.46
    labels[lesion] = LESION


def scan(
    image: FloatImage, added: FloatImage, scanner: Scanner, rng: np.random.Generator, *, shading: Floats
) -> npt.NDArray[np.uint16]:
    """Return the slice as a scanner stores it: 12 bits, with the shape of the image.

    Args:
        image: The brightness of tissue without contrast agent.
        added: The brightness that the agent adds.
        scanner: The scanner.
        rng: Random generator of the noise.
        shading: The direction in which the coil's sensitivity falls off, a unit vector in x and y.
    """
    size = len(image)
    signal = (image + np.float32(scanner.enhancement) * added) ** np.float32(scanner.contrast)
    signal = gaussian_filter(signal, scanner.blur * size / FIELD_OF_VIEW)
    axis = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    slope = np.float32(shading[0]) * axis[None, :] + np.float32(shading[1]) * axis[:, None]
    signal *= 1 - np.float32(scanner.shading) * (1 + slope) / 2
    # The magnitude of a complex signal: Gaussian noise in each channel (Gudbjartsson and Patz 1995, eq. 1).
    real, imaginary = rng.normal(0.0, scanner.noise, (2, size, size))
    magnitude = np.hypot(signal + real, imaginary)
    stored: npt.NDArray[np.uint16] = np.clip(np.rint(magnitude * scanner.scale), 0, 4095).astype(np.uint16)
    return stored


def levels(head: Head, *, slices: int, spacing: float) -> Iterator[float]:
    """Yield the levels of the slices around the tumour, from foot to head, in mm."""
    for number in range(slices):
        yield float(head.middle[2]) + (number - (slices - 1) / 2) * spacing
