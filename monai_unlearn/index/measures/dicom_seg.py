"""Measures of DICOM segmentations (PS3.3 section A.51), which carry labels, place, and what they were made of.

The slices of a volume are as far apart as they say; where they do not, as their positions do, if at least three lie at
equal distances. Otherwise each slice is a picture of its own, measured by area, and belongs to the image that it names.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
from pydicom.pixels import iter_pixels

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures.geometry import Extent, LabelSums, Plane, measures_of
from monai_unlearn.index.measures.labels import column_name
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault, Reading, Target
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.dicom import lenient_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from pydicom.dataset import Dataset

KIND = "SEG"
# Segmentation Storage, Label Map Segmentation Storage
SOP_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
MAX_VOXELS = 2**31
MAX_PLANE = 2**26

_FEWEST_TO_TELL_SPACING = 3
_SAME_GAP = 0.01
_SAME_POSITION_MM = 1e-3
# A slice direction that runs more along x than this leaves the middle of x to which slices were stored.
_SAGITTAL = 0.5


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """A frame of a segmentation.

    Attributes:
        plane: Where its pixels lie; null where it does not say.
        pixel: The area of a pixel, in mm².
        segment: The number of its segment; null where its pixels are such numbers.
        sources: The images that it was made of.
        source_frame: Which frames of them, where they have several.
        gap: The distance to the next slice, in mm, where it says one.
    """

    plane: Plane | None
    pixel: float
    segment: int | None
    sources: frozenset[str]
    source_frame: str
    gap: float | None

    @property
    def depth(self) -> float | None:
        """Where it lies along its normal, in mm."""
        return None if self.plane is None else float(self.plane.origin @ _normal(self.plane))


def read(path: Path) -> tuple[Reading, ...]:
    """Read a segmentation, frame by frame.

    Raises:
        FaultyMeasuresError: The file is damaged, too large, fractional, or does not say how large its pixels are.
    """
    code = read_file(path).get("fault")
    if code is not None and not Fault.of(str(code)).usable:
        raise FaultyMeasuresError(Fault.of(str(code)))
    with lenient_values():
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        _check(dataset)
        names = _names(dataset)
        frames = _frames(dataset)
        target = _referenced(dataset, frames)
        spacing = _slice_spacing(frames, target)
        pixels = zip(frames, _labelled(path, frames), strict=True)
        if spacing is None:
            return _areas(pixels, names, target.images)
        volume = Extent.volume(frames[0].pixel * spacing)
        sums = LabelSums(_middle(frames, (dataset.Rows, dataset.Columns)))
        for frame, values in pixels:
            sums.add(values, frame.plane)
    return (_reading(sums, names, volume, target),)


def _check(dataset: Dataset) -> None:
    if dataset.SegmentationType not in {"BINARY", "LABELMAP"}:
        raise FaultyMeasuresError(MeasureFault.FRACTIONAL)
    plane = dataset.Rows * dataset.Columns
    if plane > MAX_PLANE or plane * dataset.NumberOfFrames > MAX_VOXELS:
        raise FaultyMeasuresError(MeasureFault.TOO_LARGE)


def _names(dataset: Dataset) -> dict[int, str]:
    """Return the column names of the segments, by their numbers; the background has none."""
    segments = {int(item.SegmentNumber): column_name(str(item.SegmentLabel)) for item in dataset.SegmentSequence}
    segments.pop(0, None)
    if len(set(segments.values())) < len(segments) or not all(segments.values()):
        raise FaultyMeasuresError(MeasureFault.SAME_NAMES)
    return segments


def _frames(dataset: Dataset) -> list[_Frame]:
    shared = next(iter(dataset.get("SharedFunctionalGroupsSequence", ())), pydicom.Dataset())
    frames = [_frame(groups, shared) for groups in dataset.PerFrameFunctionalGroupsSequence]
    if len(frames) != int(dataset.NumberOfFrames):
        raise FaultyMeasuresError(Fault.UNREADABLE)
    if any(frame.pixel != frames[0].pixel for frame in frames):
        raise FaultyMeasuresError(MeasureFault.NO_SPACING)
    return frames


def _frame(groups: Dataset, shared: Dataset) -> _Frame:
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
    return _Frame(
        plane=plane,
        pixel=down * along,
        segment=None if segment is None else int(segment),
        sources=frozenset(str(source.ReferencedSOPInstanceUID) for source in sources),
        source_frame=",".join(str(source.get("ReferencedFrameNumber", "")) for source in sources),
        gap=gap if gap > 0 else None,
    )


def _labelled(path: Path, frames: Sequence[_Frame]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield each frame's pixels as numbers of segments."""
    for frame, pixels in zip(frames, iter_pixels(path), strict=True):
        values = np.asarray(pixels, dtype=np.int64)
        yield values if frame.segment is None else np.where(values > 0, frame.segment, 0)


def _slice_spacing(frames: Sequence[_Frame], target: Target) -> float | None:
    """Return how far apart the slices lie, in mm; null where they are pictures of their own."""
    if len({frame.depth for frame in frames}) == 1 and len(target.images) == 1:
        return None  # one slice of one image is no stack; highdicom calls its slices 1 mm apart
    gaps = {frame.gap for frame in frames}
    if len(gaps) == 1 and (gap := gaps.pop()) is not None:
        return gap
    depths = sorted(depth for frame in frames if (depth := frame.depth) is not None)
    steps = [step for step in np.diff(depths).tolist() if step > _SAME_POSITION_MM]
    if len(depths) < len(frames) or len(steps) < _FEWEST_TO_TELL_SPACING - 1 or not _are_parallel(frames):
        return None
    mean = sum(steps) / len(steps)
    return mean if max(steps) - min(steps) <= _SAME_GAP * mean else None


def _are_parallel(frames: Sequence[_Frame]) -> bool:
    normals = [_normal(frame.plane) for frame in frames if frame.plane is not None]
    return all(np.allclose(normal, normals[0], atol=_SAME_POSITION_MM) for normal in normals)


def _normal(plane: Plane) -> npt.NDArray[np.float64]:
    normal = np.cross(plane.along, plane.down)
    return np.asarray(normal / np.linalg.norm(normal), dtype=np.float64)


def _middle(frames: Sequence[_Frame], shape: tuple[int, int]) -> float | None:
    """Return the x of the centre of what the frames span.

    Empty frames need not be stored, so that across sagittal slices it is not known.
    """
    planes = [frame.plane for frame in frames if frame.plane is not None]
    if len(planes) < len(frames) or any(abs(_normal(plane)[0]) > _SAGITTAL for plane in planes):
        return None
    middles = [plane.middle(shape) for plane in planes]
    return (min(middles) + max(middles)) / 2


def _areas(
    pixels: Iterator[tuple[_Frame, npt.NDArray[np.int64]]], names: Mapping[int, str], images: frozenset[str]
) -> tuple[Reading, ...]:
    """Return what is measured in each image, of which every frame names one; or all, if there is one only."""
    sums: dict[str, LabelSums] = {}
    slices: dict[str, set[tuple[float | None, str]]] = defaultdict(set)
    extent = None
    for frame, values in pixels:
        sources = frame.sources or images
        if len(sources) != 1:
            raise FaultyMeasuresError(MeasureFault.NO_SPACING)
        (image,) = sources
        extent = Extent.area(frame.pixel)
        middle = _middle([frame], (values.shape[0], values.shape[1]))
        sums.setdefault(image, LabelSums(middle)).add(values, frame.plane)
        slices[image].add((frame.depth, frame.source_frame))
    if extent is None or any(len(found) > 1 for found in slices.values()):
        raise FaultyMeasuresError(MeasureFault.NO_SPACING)
    # An image without a frame was looked at, and nothing was found.
    return tuple(
        _reading(sums.get(image, LabelSums(None)), names, extent, Target(images=frozenset((image,))))
        for image in sorted({*sums, *images})
    )


def _reading(sums: LabelSums, names: Mapping[int, str], extent: Extent, target: Target) -> Reading:
    totals = sums.totals()
    if not totals.keys() <= names.keys():
        raise FaultyMeasuresError(Fault.UNREADABLE)
    measures = (measure for number, name in names.items() for measure in measures_of(name, totals.get(number), extent))
    return Reading(tuple(measures), target)


def _referenced(dataset: Dataset, frames: Sequence[_Frame]) -> Target:
    """Return the images that a segmentation was made of; or their series, where it names no image."""
    studies = dataset.get("StudiesContainingOtherReferencedInstancesSequence") or ()
    holders = [dataset, *studies]
    series = [item for holder in holders for item in holder.get("ReferencedSeriesSequence") or ()]
    images = {
        str(instance.ReferencedSOPInstanceUID)
        for item in series
        for instance in item.get("ReferencedInstanceSequence") or ()
    }.union(*(frame.sources for frame in frames))
    if images:
        return Target(images=frozenset(images))
    return Target(series=frozenset(str(item.SeriesInstanceUID) for item in series))
