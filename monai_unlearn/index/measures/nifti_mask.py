"""Measures of NIfTI masks: label maps that belong to an image by their file name.

In the frame of NIfTI, x grows to the patient's right and y to the front; both are reversed here. A mask without a
position in the patient (`sform_code` and `qform_code` 0) has sizes only.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures.geometry import Extent, LabelSums, Plane, Total, measures_of
from monai_unlearn.index.measures.labels import LARGEST_VALUE, MaskLabels
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault, Reading
from monai_unlearn.index.readers.nifti import Declared, check_whole, inflated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

KIND = "NIfTI"
MAX_VOXELS = 2**31
MAX_PLANE = 2**26
MAX_LABELS = 512

_DIMENSIONS = 3
_MM_PER_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}  # metre, millimetre, micrometre; unknown is taken as millimetre
_SPATIAL_UNIT = 0x07
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class NiftiMask:
    """The content of one mask, before the labels that it lacks are known.

    Attributes:
        totals: What is known of each of its labels, by value.
        extent: What each voxel adds to the size of its label.
    """

    totals: Mapping[int, Total]
    extent: Extent


def read(path: Path) -> NiftiMask:
    """Read a mask, plane by plane.

    Raises:
        FaultyFileError: The file is cut short, or inflates to more than is accepted.
        FaultyMeasuresError: It is not a label map, is too large, or has voxels without a size.
    """
    with path.open("rb") as stream:
        declared = check_whole(stream)
        shape = _shape(declared)
        affine = _affine(declared.header)
        extent = _extent(affine, shape)
        is_placed = bool(declared.header["sform_code"] > 0 or declared.header["qform_code"] > 0)
        sums = LabelSums(float((affine @ [*((size - 1) / 2 for size in shape), 1.0])[0]) if is_placed else None)
        for number, values in enumerate(_planes(inflated(stream), declared, shape)):
            origin = affine[:3, 3] + number * affine[:3, 2]
            plane = Plane(origin=origin, down=affine[:3, 1], along=affine[:3, 0])
            sums.add(values, plane if is_placed else None)
            if len(sums) > MAX_LABELS:
                raise FaultyMeasuresError(MeasureFault.NOT_A_LABEL_MAP)
    return NiftiMask(sums.totals(), extent)


def settle(masks: Sequence[NiftiMask], labels: MaskLabels) -> list[tuple[Reading, ...]]:
    """Return the measures of each mask, for every label that has a name or occurs in any mask.

    Args:
        masks: All masks of a build.
        labels: The names of their labels.
    """
    values = sorted({*labels.names, *(value for mask in masks for value in mask.totals)})
    return [
        (
            Reading(
                tuple(
                    measure
                    for value in values
                    for measure in measures_of(labels.name(value), mask.totals.get(value), mask.extent)
                )
            ),
        )
        for mask in masks
    ]


def _shape(declared: Declared) -> tuple[int, int, int]:
    """Return the number of voxels along three axes; a plane has one along the third."""
    sizes = list(declared.shape)
    while len(sizes) > _DIMENSIONS and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) > _DIMENSIONS or declared.dtype.kind not in "iuf":
        raise FaultyMeasuresError(MeasureFault.NOT_A_LABEL_MAP)
    fast, middle, slow = (*sizes, 1, 1)[:_DIMENSIONS]
    if fast * middle > MAX_PLANE or fast * middle * slow > MAX_VOXELS:
        raise FaultyMeasuresError(MeasureFault.TOO_LARGE)
    return fast, middle, slow


def _affine(header: Any) -> npt.NDArray[np.float64]:  # noqa: ANN401 - nibabel ships no types
    """Return the matrix of shape (4, 4) from voxel numbers to mm in the patient's frame."""
    scale = _MM_PER_UNIT.get(int(header["xyzt_units"]) & _SPATIAL_UNIT, 1.0)
    own = np.asarray(header.get_best_affine(), dtype=np.float64)
    if not np.isfinite(own).all():
        raise FaultyMeasuresError(MeasureFault.NO_SPACING)
    affine = _RAS_TO_LPS @ own
    affine[:3] *= scale
    return affine


def _extent(affine: npt.NDArray[np.float64], shape: tuple[int, int, int]) -> Extent:
    if shape[2] == 1:
        extent = Extent.area(float(np.linalg.norm(np.cross(affine[:3, 0], affine[:3, 1]))))
    else:
        extent = Extent.volume(float(abs(np.linalg.det(affine[:3, :3]))))
    if not extent.of_a_voxel > 0:
        raise FaultyMeasuresError(MeasureFault.NO_SPACING)
    return extent


def _planes(content: Any, declared: Declared, shape: tuple[int, int, int]) -> Iterator[npt.NDArray[np.int64]]:  # noqa: ANN401 - a plain or an inflating file
    """Yield the labels of each plane along the third axis, of shape (second axis, first axis)."""
    fast, middle, slow = shape
    scaling = declared.header.get_slope_inter()
    try:
        _skip(content, declared.offset)
        for _ in range(slow):
            raw = content.read(fast * middle * declared.dtype.itemsize)
            yield _labels(np.frombuffer(raw, declared.dtype).reshape(middle, fast), *scaling)
    except (EOFError, zlib.error):
        raise FaultyMeasuresError(Fault.TRUNCATED) from None


def _skip(content: Any, size: int) -> None:  # noqa: ANN401 - a plain or an inflating file
    while size > 0 and (chunk := content.read(min(size, MAX_PLANE))):
        size -= len(chunk)


def _labels(raw: npt.NDArray[Any], slope: float | None, inter: float | None) -> npt.NDArray[np.int64]:
    is_scaled = (slope, inter) not in {(None, None), (1.0, 0.0)}
    values = raw * float(slope or 1.0) + float(inter or 0.0) if is_scaled else raw
    # This also refuses NaN.
    if not (values.min() >= 0 and values.max() <= LARGEST_VALUE):
        raise FaultyMeasuresError(MeasureFault.NOT_A_LABEL_MAP)
    labels = values.astype(np.int64)
    if not np.array_equal(labels, values):
        raise FaultyMeasuresError(MeasureFault.NOT_A_LABEL_MAP)
    return labels
