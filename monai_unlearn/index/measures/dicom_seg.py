"""Measures of DICOM segmentations (PS3.3 section A.51), which name their labels, their place, and their images.

Slices with a known distance are a volume. Otherwise each slice is an image by itself, measured by area, and belongs to
the image that it names.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from pydicom.pixels import iter_pixels

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures.geometry import Extent, LabelSums, measures_of
from monai_unlearn.index.measures.labels import column_name
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault, Reading, Target
from monai_unlearn.index.measures.seg_frames import Frame, middle_x, read_frames, slice_spacing
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.lenient import lenient_values

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


def read(path: Path) -> tuple[Reading, ...]:
    """Read a segmentation, frame by frame.

    Raises:
        FaultyMeasuresError: The file is damaged, too large, fractional, or does not state the size of its pixels.
    """
    code = read_file(path).get("fault")
    if code is not None and not Fault.of(str(code)).usable:
        raise FaultyMeasuresError(Fault.of(str(code)))
    with lenient_values():
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        _check(dataset)
        names = _names(dataset)
        frames = read_frames(dataset)
        target = _referenced(dataset, frames)
        spacing = slice_spacing(frames, images=len(target.images))
        pixels = zip(frames, _labelled(path, frames), strict=True)
        if spacing is None:
            return _areas(pixels, names, target.images)
        volume = Extent.volume(frames[0].pixel * spacing)
        sums = LabelSums(middle_x(frames, (dataset.Rows, dataset.Columns)))
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


def _labelled(path: Path, frames: Sequence[Frame]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the pixels of each frame as numbers of segments, of shape (rows, columns)."""
    for frame, pixels in zip(frames, iter_pixels(path), strict=True):
        values = np.asarray(pixels, dtype=np.int64)
        yield values if frame.segment is None else np.where(values > 0, frame.segment, 0)


def _areas(
    pixels: Iterator[tuple[Frame, npt.NDArray[np.int64]]], names: Mapping[int, str], images: frozenset[str]
) -> tuple[Reading, ...]:
    """Return the readings of each image; every frame must name its image, unless the segmentation has only one."""
    sums: dict[str, LabelSums] = {}
    slices: dict[str, set[tuple[float | None, str]]] = defaultdict(set)
    extent = None
    for frame, values in pixels:
        sources = frame.sources or images
        if len(sources) != 1:
            raise FaultyMeasuresError(MeasureFault.NO_SPACING)
        (image,) = sources
        extent = Extent.area(frame.pixel)
        middle = middle_x([frame], (values.shape[0], values.shape[1]))
        sums.setdefault(image, LabelSums(middle)).add(values, frame.plane)
        slices[image].add((frame.depth, frame.source_frame))
    if extent is None or any(len(found) > 1 for found in slices.values()):
        raise FaultyMeasuresError(MeasureFault.NO_SPACING)
    # An image without a frame was segmented, and nothing was found in it.
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


def _referenced(dataset: Dataset, frames: Sequence[Frame]) -> Target:
    """Return the images that a segmentation refers to; their series if it names no image."""
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
