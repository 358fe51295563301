"""The geometry of label maps: the size of a label, the position of its centre, and its left-right asymmetry.

Positions are in millimetres in the patient's frame as DICOM defines it (PS3.3 section C.7.6.2.1.1): x grows to the
patient's left, y to the back, z to the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.index.measures.reading import Measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Vector = npt.NDArray[np.float64]

_MM3_PER_ML = 1000.0
_AXES = "xyz"
# The number of voxels; of voxels with a position; the sums of their x, y, z; left voxels minus right voxels.
_SUMS = 6
# How close to the middle a voxel's centre counts as lying on it, as a fraction of a voxel.
_ON_THE_MIDDLE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Where the voxels of one plane lie, in mm in the patient's frame.

    Attributes:
        origin: The centre of the first voxel, of shape (3,).
        down: The step to the next voxel along the first axis, of shape (3,).
        along: The step to the next voxel along the second axis, of shape (3,).
    """

    origin: Vector
    down: Vector
    along: Vector

    def middle(self, shape: tuple[int, int]) -> float:
        """Return the x of the centre of a plane with this many voxels, in mm."""
        return float((self.origin + self.down * (shape[0] - 1) / 2 + self.along * (shape[1] - 1) / 2)[0])


@dataclass(frozen=True)
class Extent:
    """What each voxel adds to the size of its label.

    Attributes:
        name: `volume` or `area`.
        unit: `ml` or `mm2`.
        of_a_voxel: The size of one voxel, in that unit.
    """

    name: str
    unit: str
    of_a_voxel: float

    @classmethod
    def volume(cls, cubic_mm: float) -> Extent:
        """Return the extent of voxels with this volume, in mm³."""
        return cls("volume", "ml", cubic_mm / _MM3_PER_ML)

    @classmethod
    def area(cls, square_mm: float) -> Extent:
        """Return the extent of pixels with this area, in mm²."""
        return cls("area", "mm2", square_mm)


@dataclass(frozen=True)
class Total:
    """What is known of one label.

    Attributes:
        voxels: The number of its voxels.
        centroid: The mean position of their centres, in mm; null if the position of the map is unknown.
        asymmetry: (left − right) / (left + right), from −1 to 1; null if the middle is unknown.
    """

    voxels: int
    centroid: tuple[float, ...] | None
    asymmetry: float | None


class LabelSums:
    """Sums over a label map, plane by plane, so that no map is held whole.

    Args:
        middle: The x of the plane between left and right, in mm; null if it is unknown.
    """

    def __init__(self, middle: float | None) -> None:
        self._middle = middle
        self._sums: dict[int, Vector] = {}

    def __len__(self) -> int:
        return len(self._sums)

    def add(self, values: npt.NDArray[np.int64], plane: Plane | None) -> None:
        """Add a plane.

        Args:
            values: The labels, of shape (first axis, second axis), at least 0; 0 is the background.
            plane: Where they lie; null if that is unknown.
        """
        first, second = np.nonzero(values)
        labels, which = np.unique(values[first, second], return_inverse=True)
        columns = [np.ones(len(first))]
        if plane is not None:
            steps = np.outer(plane.down, first) + np.outer(plane.along, second)
            positions = plane.origin[:, None] + steps
            columns += [columns[0], *positions, self._sides(positions[0], plane)]
        added = np.zeros((_SUMS, len(labels)))
        for number, column in enumerate(columns):
            added[number] = np.bincount(which, weights=column, minlength=len(labels))
        for label, sums in zip(labels.tolist(), added.T, strict=True):
            self._sums[label] = self._sums.get(label, 0.0) + sums

    def totals(self) -> Mapping[int, Total]:
        """Return what is known of each label that has voxels."""
        return {label: self._total(sums) for label, sums in sorted(self._sums.items())}

    def _sides(self, x: Vector, plane: Plane) -> Vector:
        if self._middle is None:
            return np.zeros(len(x))
        offset = x - self._middle
        near = _ON_THE_MIDDLE * max(np.linalg.norm(plane.down), np.linalg.norm(plane.along))
        # A voxel on the middle is cut in half: it adds equally to both sides.
        return np.where(np.abs(offset) <= near, 0.0, np.sign(offset))

    def _total(self, sums: Vector) -> Total:
        voxels, placed, *position, side = sums.tolist()
        known = placed == voxels
        return Total(
            voxels=int(voxels),
            centroid=tuple(axis / voxels for axis in position) if known else None,
            asymmetry=side / voxels if known and self._middle is not None else None,
        )


def measures_of(label: str, total: Total | None, extent: Extent) -> tuple[Measure, ...]:
    """Return the measures of one label, named after it: volume or area, centroid, asymmetry.

    Args:
        label: Its name.
        total: What is known of it; null if the map does not contain it: its size is then 0, and the rest missing.
        extent: What each voxel adds to its size.
    """
    centroid = (total.centroid if total else None) or (None,) * len(_AXES)
    return (
        Measure(f"{label}_{extent.name}", total.voxels * extent.of_a_voxel if total else 0.0, extent.unit),
        *(Measure(f"{label}_centroid_{axis}", position, "mm") for axis, position in zip(_AXES, centroid, strict=True)),
        Measure(f"{label}_asymmetry", total.asymmetry if total else None, "1"),
    )
