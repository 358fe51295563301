"""Reads one picture, DICOM or image file, in the form that networks take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.transforms import MapTransform
from PIL import Image
from pydicom import dcmread

from monai_unlearn.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from monai.config import KeysCollection
    from numpy.typing import NDArray

SPATIAL_DIMS = 2
_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"}
_PIL_MODES = {1: "L", 3: "RGB"}
# ITU-R BT.601, as PIL converts to grey.
_LUMA = (0.299, 0.587, 0.114)


class LoadImage2Dd(MapTransform):
    """Read a 2-D picture as a float tensor of shape (channel, height, width) with values in [0, 1].

    Whether a file is DICOM is decided by its content. This stands in for MONAI's `LoadImaged`, which
    transposes height and width of pictures, and whose readers fall back to one another on damage: a
    picture that cannot be read whole must stop the run and be named.

    Args:
        keys: Keys of the items that hold a path.
        channels: 3 for colour (RGB), 1 for grey. Grey pictures are repeated, colour is reduced to luma.
        allow_missing_keys: Do not raise where a key is missing.
    """

    def __init__(self, keys: KeysCollection, *, channels: int = 3, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        if channels not in _PIL_MODES:
            raise DataError(f"LoadImage2Dd takes channels 1 or 3, got {channels}.")
        self.channels = channels

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace each path by its picture.

        Raises:
            DataError: A file cannot be read, is cut short, or holds something else than one 2-D picture.
        """
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = torch.from_numpy(read_image(Path(item[key]), channels=self.channels))
        return item


def read_image(path: Path, *, channels: int = 3) -> NDArray[np.float32]:
    """Return a picture as (channel, height, width) in [0, 1].

    Raises:
        DataError: As `LoadImage2Dd` says.
    """
    try:
        pixels = _dicom_pixels(path) if _is_dicom(path) else _image_pixels(path, channels)
    except DataError:
        raise
    except Exception as error:  # decoders raise anything on damaged files
        raise DataError(
            f"{path}: the picture cannot be decoded ({type(error).__name__}). Mend or remove the file, "
            "then run `monai-unlearn index build` again."
        ) from error
    if pixels.ndim == SPATIAL_DIMS:
        pixels = pixels[..., None]
    if pixels.ndim != SPATIAL_DIMS + 1 or pixels.shape[-1] not in _PIL_MODES:
        raise DataError(f"{path}: expected one 2-D grey or RGB picture, got an array of shape {pixels.shape}.")
    return np.ascontiguousarray(_with_channels(pixels, channels).transpose(2, 0, 1))


def list_images(folder: str | Path | None, *, pattern: str = "**/*") -> list[str]:
    """Return the paths of a folder's pictures, sorted: DICOM files by content, image files by suffix.

    Raises:
        ConfigError: No folder is given, or it holds no picture.
    """
    if not folder or not Path(folder).is_dir():
        raise ConfigError(f"dataset_dir: expected a folder of pictures, got {folder}. Give --dataset_dir FOLDER.")
    files = sorted(path for path in Path(folder).glob(pattern) if path.is_file())
    found = [str(path) for path in files if path.suffix.lower() in _SUFFIXES or _is_dicom(path)]
    if not found:
        raise ConfigError(f"dataset_dir: {folder} holds no picture that matches '{pattern}'.")
    return found


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _image_pixels(path: Path, channels: int) -> NDArray[np.float32]:
    with Image.open(path) as picture:
        pixels: NDArray[np.float32] = np.asarray(picture.convert(_PIL_MODES[channels]), dtype=np.float32)
    pixels /= np.float32(255)
    return pixels


def _dicom_pixels(path: Path) -> NDArray[np.float32]:
    """Scale stored values to [0, 1] by the declared bit depth (PS3.3 C.7.6.3); invert MONOCHROME1.

    Colour comes out as RGB: pydicom converts YBR.
    """
    dataset = dcmread(path)
    pixels = dataset.pixel_array
    photometric = dataset.PhotometricInterpretation
    low = -(2 ** (dataset.BitsStored - 1)) if dataset.PixelRepresentation else 0
    scaled = (pixels.astype(np.float32) - low) / (2**dataset.BitsStored - 1)
    return np.asarray(1 - scaled if photometric == "MONOCHROME1" else scaled, np.float32)


def _with_channels(pixels: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    if pixels.shape[-1] == channels:
        return pixels
    if channels == len(_LUMA):
        return np.repeat(pixels, 3, axis=-1)
    luma: NDArray[np.float32] = np.asarray(pixels @ np.array(_LUMA, np.float32), np.float32)
    return luma[..., None]
