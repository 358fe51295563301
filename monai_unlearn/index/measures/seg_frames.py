"""The frames of a DICOM segmentation (PS3.3 section A.51): where each lies, and how far apart its slices are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures.geometry import Plane
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from pydicom.dataset import Dataset

_FEWEST_FOR_SPACING = 3
_SAME_GAP = 0.01
_SAME_POSITION_MM = 1e-3
# With a slice direction that runs more along x than this, stored slices do not show where the middle of x is.
_SAGITTAL = 0.5


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A frame of a segmentation.

    Attributes:
        plane: Where its pixels lie; null if it does not say.
        pixel: The area of a pixel, in mm².
        segment: The number of its segment; null if its pixels are such numbers.
        sources: The images that it was derived from.
        source_frame: Which frames of them, if they have several.
        gap: The distance to the next slice, in mm, if it states one.
    """

    plane: Plane | None
    pixel: float
    segment: int | None
    sources: frozenset[str]
    source_frame: str
    gap: float | None

    @property
    def depth(self) -> float | None:
        """Its position along its normal, in mm."""
        return None if self.plane is None else float(self.plane.origin @ _normal(self.plane))


def read_frames(dataset: Dataset) -> list[Frame]:
    """Return the frames of a segmentation.

    Raises:
        FaultyMeasuresError: A frame is missing, or the frames do not have pixels of one stated size.
    """
    shared = next(iter(dataset.get("SharedFunctionalGroupsSequence", ())), pydicom.Dataset())
    frames = [_frame(groups, shared) for groups in dataset.PerFrameFunctionalGroupsSequence]
    if len(frames) != int(dataset.NumberOfFrames):
        raise FaultyMeasuresError(Fault.UNREADABLE)
    if any(frame.pixel != frames[0].pixel for frame in frames):
        raise FaultyMeasuresError(MeasureFault.NO_SPACING)
    return frames


def _frame(groups: Dataset, shared: Dataset) -> Frame:
    def item(keyword: str) -> Any:  # noqa: ANN401 - pydicom ships no types
        return next(iter(groups.get(keyword) or shared.get(keyword) or ()), pydicom.Dataset())

    measures = item("PixelMeasuresSequence")
    down, along = (float(size) for size in measures.get("PixelSpacing") or (0, 0))
    if not (down > 0 and along > 0):
        raise FaultyMeasuresError(MeasureFault.NO_SPACING)
    gap = float(measures.get("SpacingBetweenSlices") or 0)
    position = item("PlanePositionSequence").get("ImagePositionPatient")
    orientation = item("PlaneOrientationSequence").get("ImageOrientationPatient")
    plane = None
    if position and orientation:
        cosines = np.asarray(orientation, dtype=np.float64)
        plane = Plane(origin=np.asarray(position, dtype=np.float64), down=cosines[3:] * down, along=cosines[:3] * along)
    segment = item("SegmentIdentificationSequence").get("ReferencedSegmentNumber")
    sources = [
        source
        for derivation in groups.get("DerivationImageSequence") or ()
        for source in derivation.get("SourceImageSequence") or ()
    ]
    return Frame(
        plane=plane,
        pixel=down * along,
        segment=None if segment is None else int(segment),
        sources=frozenset(str(source.ReferencedSOPInstanceUID) for source in sources),
        source_frame=",".join(str(source.get("ReferencedFrameNumber", "")) for source in sources),
        gap=gap if gap > 0 else None,
    )


def slice_spacing(frames: Sequence[Frame], *, images: int) -> float | None:
    """Return the distance between slices, in mm; null if the slices are not a volume.

    It is the distance that the frames state; otherwise that of their positions, if at least three are equidistant.

    Args:
        frames: All frames.
        images: The number of images that the segmentation refers to.
    """
    if len({frame.depth for frame in frames}) == 1 and images == 1:
        return None  # one slice of one image is not a volume, although highdicom states a distance of 1 mm
    gaps = {frame.gap for frame in frames}
    if len(gaps) == 1 and (gap := gaps.pop()) is not None:
        return gap
    depths = sorted(depth for frame in frames if (depth := frame.depth) is not None)
    steps = [step for step in np.diff(depths).tolist() if step > _SAME_POSITION_MM]
    if len(depths) < len(frames) or len(steps) < _FEWEST_FOR_SPACING - 1 or not _are_parallel(frames):
        return None
    mean = sum(steps) / len(steps)
    return mean if max(steps) - min(steps) <= _SAME_GAP * mean else None


def middle_x(frames: Sequence[Frame], shape: tuple[int, int]) -> float | None:
    """Return the x of the centre of what the frames span, in mm.

    It is null for sagittal slices: empty slices need not be stored, so the stored ones do not show the whole span.

    Args:
        frames: The frames.
        shape: Their numbers of rows and columns.
    """
    planes = [frame.plane for frame in frames if frame.plane is not None]
    if len(planes) < len(frames) or any(abs(_normal(plane)[0]) > _SAGITTAL for plane in planes):
        return None
    middles = [plane.middle(shape) for plane in planes]
    return (min(middles) + max(middles)) / 2


def _are_parallel(frames: Sequence[Frame]) -> bool:
    normals = [_normal(frame.plane) for frame in frames if frame.plane is not None]
    return all(np.allclose(normal, normals[0], atol=_SAME_POSITION_MM) for normal in normals)


def _normal(plane: Plane) -> npt.NDArray[np.float64]:
    normal = np.cross(plane.along, plane.down)
    return np.asarray(normal / np.linalg.norm(normal), dtype=np.float64)
