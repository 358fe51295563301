"""The geometry of label maps: how large a label is, where its centre lies, and how it is divided between the sides.

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
# Voxels; those with a position; their x, y, z added up; those on the left less those on the right.
_SUMS = 6
# How near to the middle, in parts of a voxel, a voxel's centre counts as lying on it.
_ON_THE_MIDDLE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Where the voxels of one plane lie, in mm in the patient's frame.

    Attributes:
        origin: The centre of the first voxel, of shape (3,).
        down: From a voxel to the next of the first axis, of shape (3,).
        along: From a voxel to the next of the second axis, of shape (3,).
    """

    origin: Vector
    down: Vector
    along: Vector

    def middle(self, shape: tuple[int, int]) -> float:
        """Return the x of the centre of as many voxels."""
        return float((self.origin + self.down * (shape[0] - 1) / 2 + self.along * (shape[1] - 1) / 2)[0])


@dataclass(frozen=True)
class Extent:
    """What a voxel adds to the size of its label.

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
        """Return the extent of voxels of so many cubic millimetres."""
        return cls("volume", "ml", cubic_mm / _MM3_PER_ML)

    @classmethod
    def area(cls, square_mm: float) -> Extent:
        """Return the extent of pixels of so many square millimetres."""
        return cls("area", "mm2", square_mm)


@dataclass(frozen=True)
class Total:
    """What is known of one label.

    Attributes:
        voxels: How many it has.
        centroid: The mean position of their centres, in mm; null where the map has no place in the patient.
        asymmetry: (left − right) / (left + right), from −1 to 1; null where no middle is known.
    """

    voxels: int
    centroid: tuple[float, ...] | None
    asymmetry: float | None


class LabelSums:
    """Adds up a label map, one plane after the other, so that no map is ever held whole.

    Args:
        middle: The x of the plane that divides left from right, in mm; null where there is none.
    """

    def __init__(self, middle: float | None) -> None:
        self._middle = middle
        self._sums: dict[int, Vector] = {}

    def __len__(self) -> int:
        return len(self._sums)

    def add(self, values: npt.NDArray[np.int64], plane: Plane | None) -> None:
        """Add a plane.

        Args:
            values: The labels, of shape (first axis, second axis), from 0 on; 0 is the background.
            plane: Where they lie; null where that is not known.
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
        # The middle cuts a voxel that lies on it in half: it adds to both sides alike.
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
        total: What is known of it; null where the map was read and has none of it: its size is 0 then, and the rest
            is missing.
        extent: What a voxel adds to its size.
    """
    centroid = (total.centroid if total else None) or (None,) * len(_AXES)
    return (
        Measure(f"{label}_{extent.name}", total.voxels * extent.of_a_voxel if total else 0.0, extent.unit),
        *(Measure(f"{label}_centroid_{axis}", position, "mm") for axis, position in zip(_AXES, centroid, strict=True)),
        Measure(f"{label}_asymmetry", total.asymmetry if total else None, "1"),
    )
