"""The label map of a phantom face: the structure at each pixel.

The labels are those of the annotated faces of Nahass et al. 2024, arXiv 2409.20407; a lid is the strip between its
margin and its crease.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from monai_unlearn.phantom.periorbital_statistics import IRIS_WIDTH

if TYPE_CHECKING:
    from monai_unlearn.phantom.periorbital_face import Eye, Face

LabelMap = npt.NDArray[np.uint8]
FloatImage = npt.NDArray[np.float32]

LABEL_VALUES = {
    "right_lid": 1,
    "left_lid": 2,
    "r_brow": 3,
    "l_brow": 4,
    "r_sclera": 5,
    "l_sclera": 6,
    "r_caruncle": 7,
    "l_caruncle": 8,
    "r_iris": 9,
    "l_iris": 10,
}

_LID_HEIGHT = 3.1  # mm above the centre of the pupil, medians of the annotated faces
_CARUNCLE_WIDTH = 3.4
_CANTHAL_LINE = 0.36  # of the fissure, from the lower lid up, at the pupil
# Exponents of t and 1 - t from the inner to the outer canthus; flare takes from the latter.
_UPPER_LID, _LOWER_LID, _FLARE = (0.80, 0.70), (1.20, 0.85), 0.25
# From the pupil, in iris widths: the inner and outer end of a brow, and its height.
_BROW_MEDIAL, _BROW_LATERAL, _BROW_HEIGHT = -1.45, 2.0, 0.50
_BROW_ARCH = 0.55  # where it is highest


@dataclass(frozen=True)
class Frame:
    """The position of an image on the face.

    Attributes:
        rows: Pixels down.
        columns: Pixels across.
        scale: Pixels per mm.
        middle: The point between the pupils, from the upper left corner, as shares of columns and rows.
        roll: Tilt of the head, in radians; positive if the patient's left is higher.
    """

    rows: int
    columns: int
    scale: float
    middle: tuple[float, float]
    roll: float

    def grid(self) -> tuple[FloatImage, FloatImage]:
        """Return x (to the patient's left) and y (up) of every pixel's centre, from between the pupils, in mm."""
        across = (np.arange(self.columns, dtype=np.float32) + np.float32(0.5)) / np.float32(self.scale)
        down = (np.arange(self.rows, dtype=np.float32) + np.float32(0.5)) / np.float32(self.scale)
        x = across[None, :] - np.float32(self.middle[0] * self.columns / self.scale)
        y = np.float32(self.middle[1] * self.rows / self.scale) - down[:, None]
        cosine, sine = np.float32(math.cos(self.roll)), np.float32(math.sin(self.roll))
        return cosine * x + sine * y, cosine * y - sine * x

    def enlarged(self, factor: int) -> Frame:
        """Return the same view with `factor` times the pixels per side."""
        return Frame(self.rows * factor, self.columns * factor, self.scale * factor, self.middle, self.roll)


def draw_labels(face: Face, frame: Frame) -> LabelMap:
    """Return the label map, of shape (rows, columns); 0 is skin."""
    x, y = frame.grid()
    labels = np.zeros((frame.rows, frame.columns), dtype=np.uint8)
    for number, (eye, outwards) in enumerate(((face.right, -1.0), (face.left, 1.0))):
        # From the inner canthus outwards, and up from the pupil.
        along = np.float32(outwards) * x - np.float32(face.icd / 2)
        height = y - np.float32(outwards * face.dystopia / 2)
        _draw_eye(labels, eye, number, along, height, pupil=(face.ipd - face.icd) / 2, swelling=face.swelling)
    return labels


def _draw_eye(
    labels: LabelMap, eye: Eye, number: int, along: FloatImage, height: FloatImage, *, pupil: float, swelling: float
) -> None:
    upper, lower = _lids(eye, along, pupil)
    within = (along > 0) & (along < eye.hpf)
    fissure = within & (height < upper) & (height > lower)
    crease = upper + _lid_height(eye, along, pupil, swelling)
    lid = within & (height >= upper) & (height < crease)
    labels[_brow(eye, (along - pupil) / IRIS_WIDTH, height)] = LABEL_VALUES["r_brow"] + number
    labels[lid] = LABEL_VALUES["right_lid"] + number
    labels[fissure] = LABEL_VALUES["r_sclera"] + number
    labels[fissure & (along < _CARUNCLE_WIDTH)] = LABEL_VALUES["r_caruncle"] + number
    iris = np.hypot(along - np.float32(pupil), height) < IRIS_WIDTH / 2
    labels[fissure & iris] = LABEL_VALUES["r_iris"] + number


def _lids(eye: Eye, along: FloatImage, pupil: float) -> tuple[FloatImage, FloatImage]:
    """Return the heights of the upper and the lower lid margin above the pupil, in mm."""
    slope = math.tan(math.radians(eye.canthal_tilt))
    at_pupil = _CANTHAL_LINE * eye.vpf - eye.mrd2
    line = np.float32(at_pupil) + np.float32(slope) * (along - np.float32(pupil))
    exponents = (_UPPER_LID[0], _UPPER_LID[1] - _FLARE * eye.flare)
    upper = line + np.float32(eye.mrd1 - at_pupil) * _arc(along, eye.hpf, pupil, exponents)
    lower = line - np.float32(at_pupil + eye.mrd2) * _arc(along, eye.hpf, pupil, _LOWER_LID)
    return upper, lower


def _arc(along: FloatImage, hpf: float, pupil: float, exponents: tuple[float, float]) -> FloatImage:
    """Return an arc above the canthal line: 0 at the canthi and 1 at the pupil, where distances are as measured."""
    place = np.clip(along / np.float32(hpf), 0.0, 1.0)
    first, second = exponents
    at_pupil = (pupil / hpf) ** first * (1 - pupil / hpf) ** second
    arc: FloatImage = place**first * (1 - place) ** second / np.float32(at_pupil)
    return arc


def _lid_height(eye: Eye, along: FloatImage, pupil: float, swelling: float) -> FloatImage:
    """Return the height of the crease above the margin, in mm: less for retracted lids, more for swollen ones."""
    shown = _LID_HEIGHT * (1.0 - 0.35 * min(max((eye.mrd1 - 3.5) / 3.5, 0.0), 1.0)) + 1.6 * swelling
    room = max(1.2, eye.brow_height - eye.mrd1 - 1.5)
    height: FloatImage = np.float32(min(shown, room)) * np.sqrt(_arc(along, eye.hpf, pupil, (0.5, 0.5)))
    return height


def _brow(eye: Eye, place: FloatImage, height: FloatImage) -> npt.NDArray[np.bool_]:
    """Return the mask of the brow; `place` is the distance from the pupil outwards, in iris widths."""
    course = 0.14 * (place - _BROW_ARCH) ** 2
    lower = eye.brow_height + IRIS_WIDTH * (0.14 * _BROW_ARCH**2 - course)
    inner = np.clip((place - _BROW_MEDIAL) / 0.35, 0.0, 1.0)
    outer = np.clip((_BROW_LATERAL - place) / 1.6, 0.0, 1.0)
    thickness = IRIS_WIDTH * _BROW_HEIGHT * np.sqrt(inner) * outer**0.7
    found: npt.NDArray[np.bool_] = (height > lower) & (height < lower + thickness)
    return found
