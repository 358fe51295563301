"""Reads one 2-D image, DICOM or another image file, as networks take it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.transforms import MapTransform
from PIL import Image
from pydicom import dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.index.readers import dicom

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from monai.config import KeysCollection
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset
    from pydicom.uid import UID

SPATIAL_DIMS = 2
_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"}
_PIL_MODES = {1: "L", 3: "RGB"}
# ITU-R BT.601, the weights that PIL uses.
_LUMA = (0.299, 0.587, 0.114)


class LoadImage2Dd(MapTransform):
    """Read a 2-D image as a float tensor of shape (channel, height, width) with values in [0, 1].

    The content of a file decides whether it is DICOM. This replaces MONAI's `LoadImaged`, which transposes height and
    width of 2-D images, and whose readers fall back to one another on a damaged file: an image that cannot be read
    completely must stop the run, with a message that names it.

    Args:
        keys: Keys of the items that hold a path.
        channels: 3 for colour (RGB), 1 for grey. Grey images are repeated, colour is reduced to luma.
        allow_missing_keys: Do not raise if a key is missing.

    Raises:
        DataError: `channels` is neither 1 nor 3.
    """

    def __init__(self, keys: KeysCollection, *, channels: int = 3, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        if channels not in _PIL_MODES:
            raise DataError(f"LoadImage2Dd takes channels 1 or 3, got {channels}.")
        self.channels = channels

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace each path by its image.

        Raises:
            DataError: A file cannot be read, is truncated, or holds something other than one 2-D image.
        """
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = torch.from_numpy(read_image(Path(item[key]), channels=self.channels))
        return item


def read_image(path: Path, *, channels: int = 3) -> NDArray[np.float32]:
    """Return an image as an array of shape (channel, height, width) with values in [0, 1].

    Raises:
        DataError: The file cannot be read, is truncated, or holds something other than one 2-D image.
    """
    try:
        pixels = _dicom_pixels(path) if _is_dicom(path) else _image_pixels(path, channels)
    except DataError:
        raise
    except Exception as error:  # decoders raise anything on damaged files
        raise DataError(
            f"{path}: the image cannot be decoded ({type(error).__name__}). Fix or remove the file, "
            "then run `monai-unlearn index build` again."
        ) from error
    if pixels.ndim == SPATIAL_DIMS:
        pixels = pixels[..., None]
    if pixels.ndim != SPATIAL_DIMS + 1 or pixels.shape[-1] not in _PIL_MODES:
        raise DataError(f"{path}: expected one 2-D grey or RGB image, got an array of shape {pixels.shape}.")
    return np.ascontiguousarray(_with_channels(pixels, channels).transpose(2, 0, 1))


def list_images(folder: str | Path | None, *, pattern: str = "**/*") -> list[str]:
    """Return the paths of the images in a folder, sorted: DICOM files by content, image files by suffix.

    Raises:
        ConfigError: No folder is given, or it holds no image.
    """
    if not folder or not Path(folder).is_dir():
        raise ConfigError(f"dataset_dir: expected a folder of images, got {folder}. Give --dataset_dir FOLDER.")
    files = sorted(path for path in Path(folder).glob(pattern) if path.is_file())
    found = [str(path) for path in files if path.suffix.lower() in _SUFFIXES or _is_dicom(path)]
    if not found:
        raise ConfigError(f"dataset_dir: {folder} holds no image that matches '{pattern}'.")
    return found


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return dicom.recognises(stream.read(dicom.HEAD))


def _image_pixels(path: Path, channels: int) -> NDArray[np.float32]:
    with Image.open(path) as image:
        pixels: NDArray[np.float32] = np.asarray(image.convert(_PIL_MODES[channels]), dtype=np.float32)
    pixels /= np.float32(255)
    return pixels


def _dicom_pixels(path: Path) -> NDArray[np.float32]:
    """Scale stored values to [0, 1] by the declared bit depth (PS3.3 C.7.6.3); invert MONOCHROME1.

    Colour is returned as RGB: pydicom converts YBR.
    """
    dataset = dcmread(path, force=True)  # some files lack the preamble
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _syntax_of(dataset)
    pixels = dataset.pixel_array
    photometric = dataset.PhotometricInterpretation
    low = -(2 ** (dataset.BitsStored - 1)) if dataset.PixelRepresentation else 0
    scaled = (pixels.astype(np.float32) - low) / (2**dataset.BitsStored - 1)
    return np.asarray(1 - scaled if photometric == "MONOCHROME1" else scaled, np.float32)


def _syntax_of(dataset: Dataset) -> UID:
    """Return the transfer syntax that a data set without File Meta Information was read in."""
    is_implicit, is_little = dataset.original_encoding
    explicit = ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
    return ImplicitVRLittleEndian if is_implicit else explicit


def _with_channels(pixels: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    if pixels.shape[-1] == channels:
        return pixels
    if channels == len(_LUMA):
        return np.repeat(pixels, 3, axis=-1)
    luma: NDArray[np.float32] = np.asarray(pixels @ np.array(_LUMA, np.float32), np.float32)
    return luma[..., None]
