"""The anatomy of a phantom eye, drawn at random; `fundus.py` paints it.

Coordinates are those of a right eye: the fovea near the origin, x to the nasal side (where the optic disc is), y
downwards, and one unit is the radius of a 45 degree field. A left eye is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monai_unlearn.phantom.patients import Diagnosis
from monai_unlearn.phantom.vessels import Floats, Vessel, grow

TEXTURE_EXTENT = 2.0  # how far the random fields extend from the fovea, in retina units

_TEXTURE_GRIDS = (6, 22, 72)  # nodes per side, from cloud to grain
_SPARED_BY_LESIONS = 0.24  # around the centre of the disc, in retina units
_CUP_RATIOS = {
    Diagnosis.NORMAL: (0.22, 0.46),
    Diagnosis.DIABETIC_RETINOPATHY: (0.22, 0.46),
    Diagnosis.GLAUCOMA: (0.64, 0.86),
}


@dataclass(frozen=True)
class Spots:
    """Ellipses of one kind of lesion.

    Attributes:
        centres: x and y, in retina units; shape (spots, 2).
        radii: Half axes, in retina units; shape (spots, 2).
        strengths: 0 (invisible) to 1; shape (spots,).
    """

    centres: Floats
    radii: Floats
    strengths: Floats


@dataclass(frozen=True)
class Lesions:
    """The lesions of diabetic retinopathy; every kind is empty in a healthy retina."""

    haemorrhages: Spots
    microaneurysms: Spots
    exudates: Spots
    cotton_wool: Spots


@dataclass(frozen=True)
class Eye:
    """A phantom eye.

    Attributes:
        disc: The centre of the optic disc.
        disc_radii: Half the width and half the height of the disc.
        cup_ratio: Cup-to-disc ratio, 0 to 1.
        cup_offset: The centre of the cup relative to that of the disc.
        macula: The centre of the macula.
        pigment: How dark the retina is, 0 to 1.
        atrophy: How strong the pale crescent beside the disc is, 0 to 1.
        textures: Smooth random fields, from coarse to fine; each of shape (nodes, nodes).
    """

    disc: Floats
    disc_radii: Floats
    cup_ratio: float
    cup_offset: Floats
    macula: Floats
    pigment: float
    atrophy: float
    vessels: tuple[Vessel, ...]
    lesions: Lesions
    textures: tuple[npt.NDArray[np.float32], ...]


def draw_eye(rng: np.random.Generator, diagnosis: Diagnosis) -> Eye:
    """Draw an eye with this diagnosis."""
    disc = np.array([0.66, -0.03]) + rng.normal(0.0, 0.02, 2)
    macula = rng.normal(0.0, 0.015, 2)
    radius = rng.uniform(0.145, 0.172)
    glaucoma = diagnosis is Diagnosis.GLAUCOMA
    return Eye(
        disc=disc,
        disc_radii=radius * np.array([rng.uniform(0.88, 0.97), 1.0]),
        cup_ratio=rng.uniform(*_CUP_RATIOS[diagnosis]),
        cup_offset=radius * rng.normal(0.0, 0.04, 2),
        macula=macula,
        pigment=rng.uniform(0.0, 1.0),
        atrophy=rng.uniform(0.2, 0.8) if glaucoma else rng.uniform(0.0, 0.25),
        vessels=grow(rng, disc=disc + np.array([0.02, 0.0]), macula=macula),
        lesions=_draw_lesions(rng, macula, disc, present=diagnosis is Diagnosis.DIABETIC_RETINOPATHY),
        textures=tuple(rng.standard_normal((nodes, nodes), dtype=np.float32) for nodes in _TEXTURE_GRIDS),
    )


def _draw_lesions(rng: np.random.Generator, macula: Floats, disc: Floats, *, present: bool) -> Lesions:
    severity = rng.uniform(0.35, 1.0) if present else 0.0
    clusters = round(severity * rng.integers(3, 6))
    # Hard exudates lie in clusters and rings around the macula.
    bearings = rng.uniform(0.0, 2.0 * np.pi, clusters)
    middles = macula + rng.uniform(0.18, 0.45, (clusters, 1)) * _directions(bearings)
    each = 16
    exudates = np.repeat(middles, each, axis=0) + rng.normal(0.0, 0.05, (clusters * each, 2))
    return Lesions(
        haemorrhages=_clots(rng, _scatter(rng, round(severity * rng.integers(12, 26)), (0.02, 0.066), disc)),
        microaneurysms=_scatter(rng, round(severity * rng.integers(25, 50)), (0.005, 0.011), disc),
        exudates=_spots(rng, exudates, (0.008, 0.026)),
        cotton_wool=_scatter(rng, round(severity * rng.integers(1, 5)), (0.035, 0.065), disc),
    )


def _scatter(rng: np.random.Generator, count: int, sizes: tuple[float, float], disc: Floats) -> Spots:
    """Scatter spots over the posterior pole, off the disc."""
    bearings = rng.uniform(0.0, 2.0 * np.pi, count)
    distances = 0.85 * np.sqrt(rng.uniform(0.03, 1.0, count))
    centres = distances[:, None] * _directions(bearings)
    away = np.hypot(*(centres - disc).T) > _SPARED_BY_LESIONS
    return _spots(rng, centres[away], sizes)


def _clots(rng: np.random.Generator, spots: Spots) -> Spots:
    """Give each spot an uneven outline: three ellipses that overlap."""
    parts = 3
    radii = np.repeat(spots.radii, parts, axis=0)
    centres = np.repeat(spots.centres, parts, axis=0) + 0.45 * radii * rng.standard_normal(radii.shape)
    return Spots(centres, radii * rng.uniform(0.5, 0.9, radii.shape), np.repeat(spots.strengths, parts))


def _directions(bearings: Floats) -> Floats:
    return np.stack([np.cos(bearings), np.sin(bearings)], axis=1)


def _spots(rng: np.random.Generator, centres: Floats, sizes: tuple[float, float]) -> Spots:
    # Small ones are more common than large ones.
    radii = sizes[0] + (sizes[1] - sizes[0]) * rng.random((len(centres), 1)) ** 1.7
    strengths = rng.uniform(0.6, 1.0, len(centres))
    return Spots(centres, radii * rng.uniform(0.7, 1.3, (len(centres), 2)), strengths)
