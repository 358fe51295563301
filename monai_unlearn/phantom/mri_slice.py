"""Paint an axial slice of a phantom head: its brightness in T1-weighted MR with contrast agent, and its label map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from monai_unlearn.phantom.mri_head import BRAIN_AXES, NODES
from monai_unlearn.phantom.mri_patients import Tumour

if TYPE_CHECKING:
    from monai_unlearn.phantom.mri_head import FloatImage, Head, Pose

Labels = npt.NDArray[np.uint8]

FIELD_OF_VIEW = 220.0  # mm
BRAIN, LESION = 1, 2  # values of the label map

_SHELLS = ((1.22, 0.85), (1.13, 0.06), (1.06, 0.16))  # scalp, skull, fluid: factor on the brain's axes, brightness
_GREY, _WHITE, _FLUID, _OEDEMA, _NECROSIS = 0.46, 0.62, 0.14, 0.36, 0.20
_CORTEX = 0.91  # the share of the brain's radius at which the cortex begins
_VENTRICLE_AXES = np.array([6.0, 24.0, 11.0])
_VENTRICLE_MIDDLES = np.array([[-10.0, 2.0, 8.0], [10.0, 2.0, 8.0]])
_OEDEMA_REACH, _CORE, _RIM = 1.5, 0.62, 1.0  # of a glioma, in its radii
_EXTENT = 130.0  # of the random field, in mm from the centre


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
    nodes = (points / np.float32(_EXTENT) + 1) * np.float32((NODES - 1) / 2)
    sampled: FloatImage = map_coordinates(field, nodes, order=1, mode="nearest")
    return sampled


def _paint_shells(radius: FloatImage) -> FloatImage:
    image = np.zeros_like(radius)
    for factor, brightness in _SHELLS:
        image[radius < factor] = brightness
    return image


def _in_ventricles(head: Head, points: FloatImage) -> npt.NDArray[np.bool_]:
    found = np.zeros(points.shape[1:], dtype=bool)
    scale = head.axes / BRAIN_AXES
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
