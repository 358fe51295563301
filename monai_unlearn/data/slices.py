"""Reads MR: a DICOM slice, an image file, or a NIfTI volume, whole or one slice of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import torch
from monai.transforms import MapTransform
from torch.nn.functional import interpolate

from monai_unlearn.data import list_images, read_image
from monai_unlearn.data.named_by_id import named_by_id
from monai_unlearn.errors import ConfigError, DataError, check_choice
from monai_unlearn.index.readers import HEAD, nifti
from monai_unlearn.index.readers.image_options import ImageOptions

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from monai.config import KeysCollection
    from numpy.typing import NDArray
    from torch import Tensor

# The axis perpendicular to each view, in voxels ordered to the patient's left, back and head (LPS).
_AXIS = {"sagittal": 0, "coronal": 1, "axial": 2}
VOLUME = "volume"
VIEWS = (*_AXIS, VOLUME)

_DIMENSIONS = 3


class LoadMRd(MapTransform):
    """Read a grey MR scan as a float tensor, channel first.

    DICOM and other image files are 2-D slices: shape (1, height, width), values in [0, 1]. From a NIfTI volume, `view`
    and `position` select a slice; `view: volume` takes all of it, shape (1, depth, height, width). Voxels are
    reordered to the nearest anatomical axes and resampled to isotropic voxels with the side of the shortest one, so
    that shapes keep their proportions. A slice is in radiological orientation: in an axial one, anterior is at the top
    and the patient's right on the left. NIfTI values keep the scanner's units; scale them in a later transform.

    Args:
        keys: Keys of the items that hold a path.
        view: `axial`, `coronal`, `sagittal`, or `volume`.
        position: Position of the slice, from 0 (foot, front or right end of the volume) to 1 (the other end).
        frame: As in `LoadImage2Dd`, for DICOM and other image files.
        value_range: As in `LoadImage2Dd`.
        background: As in `LoadImage2Dd`.
        allow_missing_keys: Do not raise if a key is missing.

    Raises:
        ConfigError: `view` is unknown, or another option is out of range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        view: str = "axial",
        position: float = 0.5,
        frame: int | None = None,
        value_range: Sequence[float] | None = None,
        background: float | Sequence[float] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        check_choice(view, VIEWS, name="view")
        if not 0 <= position <= 1:
            raise ConfigError(f"position: expected a share of the volume from 0 to 1, got {position}.")
        self.view = view
        self.position = position
        self.options = ImageOptions(frame=frame, value_range=value_range, background=background)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace each path by its scan.

        Raises:
            DataError: A file cannot be read, is truncated, or does not have the dimensions that `view` needs.
        """
        item = dict(data)
        for key in self.key_iterator(item):
            with named_by_id(item, item[key]):
                item[key] = self._read(Path(item[key]))
        return item

    def _read(self, path: Path) -> Tensor:
        if is_nifti(path):
            return _isotropic(*_read_volume(path), view=self.view, position=self.position)
        if self.view == VOLUME:
            raise DataError(
                f"{path}: expected a NIfTI volume for the view 'volume', got one slice. Convert the series."
            )
        return torch.from_numpy(read_image(path, channels=1, options=self.options))


def is_nifti(path: Path) -> bool:
    """Return whether the content of a file is NIfTI."""
    with path.open("rb") as stream:
        return bool(nifti.recognises(stream.read(HEAD)))


def list_scans(folder: str | Path | None, *, pattern: str = "**/*") -> list[str]:
    """Return the paths of the scans in a folder, sorted: DICOM and NIfTI files by content, image files by suffix.

    Raises:
        ConfigError: No folder is given, or it holds no scan.
    """
    volumes = []
    if folder and Path(folder).is_dir():
        volumes = [str(path) for path in Path(folder).glob(pattern) if path.is_file() and is_nifti(path)]
    try:
        images = list_images(folder, pattern=pattern)
    except ConfigError:
        if not volumes:
            raise
        images = []
    return sorted(volumes + images)


def _read_volume(path: Path) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    """Return voxels ordered to the patient's left, back and head, and their side lengths in mm."""
    try:
        # Oblique volumes are reordered to the nearest axes, not resampled.
        image: Any = nibabel.as_closest_canonical(nibabel.load(path))
        voxels = np.asarray(image.dataobj, dtype=np.float32)
        sides = tuple(map(float, image.header.get_zooms()[:_DIMENSIONS]))
    except Exception as error:  # decoders raise anything on damaged files
        raise DataError(
            f"{path}: the volume cannot be decoded ({type(error).__name__}). Fix or remove the file, "
            "then run `monai-unlearn index build` again."
        ) from error
    voxels = voxels.reshape(voxels.shape[:_DIMENSIONS]) if voxels.size == np.prod(voxels.shape[:3]) else voxels
    if voxels.ndim != _DIMENSIONS or not min(sides, default=0) > 0:
        raise DataError(f"{path}: expected one 3-D volume with voxel sizes, got an array of shape {voxels.shape}.")
    # Masked-out background is often NaN. Canonical voxels are ordered to the right and front: flip both.
    return np.nan_to_num(voxels, copy=False)[::-1, ::-1], sides


def _isotropic(voxels: NDArray[np.float32], sides: tuple[float, ...], *, view: str, position: float) -> Tensor:
    """Take the view of a volume and resample it to isotropic voxels; channel first."""
    kept = [axis for axis in range(_DIMENSIONS) if axis != _AXIS.get(view)]
    if view in _AXIS:
        axis = _AXIS[view]
        voxels = voxels.take(round(position * (voxels.shape[axis] - 1)), axis)
    shortest = min(sides[axis] for axis in kept)
    shape = [max(1, round(size * sides[axis] / shortest)) for size, axis in zip(voxels.shape, kept, strict=True)]
    # The last axis becomes the first. Rows go to the back in an axial slice, from head to foot in the others.
    image = torch.from_numpy(np.ascontiguousarray(voxels.T))[None]
    image = image if view in {"axial", VOLUME} else image.flip(1)
    mode = "trilinear" if view == VOLUME else "bilinear"
    return interpolate(image[None], size=shape[::-1], mode=mode)[0]
