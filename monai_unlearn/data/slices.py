"""Reads MR: a DICOM slice, an image file, or a slice or the whole of a NIfTI volume."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import torch
from monai.transforms import MapTransform
from torch.nn.functional import interpolate

from monai_unlearn.data import list_images, read_image
from monai_unlearn.errors import ConfigError, DataError, did_you_mean
from monai_unlearn.index.readers import HEAD, nifti

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from monai.config import KeysCollection
    from numpy.typing import NDArray
    from torch import Tensor

# The axis that each view looks along, of voxels that run to the patient's left, back and head.
_ALONG = {"sagittal": 0, "coronal": 1, "axial": 2}
VOLUME = "volume"
VIEWS = (*_ALONG, VOLUME)

_DIMENSIONS = 3


class LoadMRd(MapTransform):
    """Read a grey scan as a float tensor with a channel first.

    DICOM files and pictures are 2-D slices already: shape (1, height, width), values in [0, 1]. Of a NIfTI
    volume, `view` and `position` say which slice is taken; or it is taken whole, as (1, depth, height, width).
    Its voxels are put in the order of the nearest anatomical axes, and made isotropic at the size of their
    shortest side, so that what is round in the patient is round in the slice. A slice is shown as radiologists
    see it: in an axial one the patient's front is at the top and the right side on the left. Values of NIfTI stay
    in the scanner's own units, to be scaled by what follows.

    Args:
        keys: Keys of the items that hold a path.
        view: `axial`, `coronal`, `sagittal`, or `volume`.
        position: Where the slice lies: 0 at the foot, front or right of the volume, 1 at its other end.
        allow_missing_keys: Do not raise where a key is missing.
    """

    def __init__(
        self, keys: KeysCollection, *, view: str = "axial", position: float = 0.5, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if view not in VIEWS:
            raise ConfigError(f"view: expected one of {', '.join(VIEWS)}, got '{view}'.{did_you_mean(view, VIEWS)}")
        if not 0 <= position <= 1:
            raise ConfigError(f"position: expected a share of the volume from 0 to 1, got {position}.")
        self.view = view
        self.position = position

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace each path by its scan.

        Raises:
            DataError: A file cannot be read, is cut short, or has other dimensions than `view` needs.
        """
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = self._read(Path(item[key]))
        return item

    def _read(self, path: Path) -> Tensor:
        if is_nifti(path):
            return _isotropic(*_read_volume(path), view=self.view, position=self.position)
        if self.view == VOLUME:
            raise DataError(
                f"{path}: expected a NIfTI volume for the view 'volume', got one slice. Convert the series."
            )
        return torch.from_numpy(read_image(path, channels=1))


def is_nifti(path: Path) -> bool:
    """Return whether a file is a NIfTI image, by its content."""
    with path.open("rb") as stream:
        return bool(nifti.recognises(stream.read(HEAD)))


def list_scans(folder: str | Path | None, *, pattern: str = "**/*") -> list[str]:
    """Return the paths of a folder's scans, sorted: DICOM and NIfTI files by content, image files by suffix.

    Raises:
        ConfigError: No folder is given, or it holds no scan.
    """
    volumes = []
    if folder and Path(folder).is_dir():
        volumes = [str(path) for path in Path(folder).glob(pattern) if path.is_file() and is_nifti(path)]
    try:
        pictures = list_images(folder, pattern=pattern)
    except ConfigError:
        if not volumes:
            raise
        pictures = []
    return sorted(volumes + pictures)


def _read_volume(path: Path) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    """Return voxels that run to the patient's left, back and head, and their sides in mm."""
    try:
        # Oblique volumes keep their voxels: the nearest axes are taken, nothing is resampled.
        image: Any = nibabel.as_closest_canonical(nibabel.load(path))
        voxels = np.asarray(image.dataobj, dtype=np.float32)
        sides = tuple(map(float, image.header.get_zooms()[:_DIMENSIONS]))
    except Exception as error:  # decoders raise anything on damaged files
        raise DataError(
            f"{path}: the volume cannot be decoded ({type(error).__name__}). Mend or remove the file, "
            "then run `monai-unlearn index build` again."
        ) from error
    voxels = voxels.reshape(voxels.shape[:_DIMENSIONS]) if voxels.size == np.prod(voxels.shape[:3]) else voxels
    if voxels.ndim != _DIMENSIONS or not min(sides, default=0) > 0:
        raise DataError(f"{path}: expected one 3-D volume with voxel sizes, got an array of shape {voxels.shape}.")
    # Masked-out background is often NaN. Canonical voxels run to the right and front.
    return np.nan_to_num(voxels, copy=False)[::-1, ::-1], sides


def _isotropic(voxels: NDArray[np.float32], sides: tuple[float, ...], *, view: str, position: float) -> Tensor:
    """Cut the view out of a volume and give it isotropic voxels; a channel first."""
    kept = [axis for axis in range(_DIMENSIONS) if axis != _ALONG.get(view)]
    if view in _ALONG:
        axis = _ALONG[view]
        voxels = voxels.take(round(position * (voxels.shape[axis] - 1)), axis)
    shortest = min(sides[axis] for axis in kept)
    shape = [max(1, round(size * sides[axis] / shortest)) for size, axis in zip(voxels.shape, kept, strict=True)]
    # The last axis becomes the first. Rows run to the back in an axial slice, from head to foot in the others.
    picture = torch.from_numpy(np.ascontiguousarray(voxels.T))[None]
    picture = picture if view in {"axial", VOLUME} else picture.flip(1)
    mode = "trilinear" if view == VOLUME else "bilinear"
    return interpolate(picture[None], size=shape[::-1], mode=mode)[0]
