"""Reads one 2-D image, DICOM or another image file, as networks take it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.transforms import MapTransform
from pydicom.pixels import apply_color_lut

from monai_unlearn.data.named_by_id import named_by_id
from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import dicom
from monai_unlearn.index.readers.dicom_pixels import decoded, frame_count, opened_pixels
from monai_unlearn.index.readers.image_options import DEFAULT, ImageOptions, no_frame
from monai_unlearn.index.readers.image_pixels import PIL_MODES, image_pixels
from monai_unlearn.index.readers.row import FaultyFileError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from monai.config import KeysCollection
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

SPATIAL_DIMS = 2
_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"}
# ITU-R BT.601, the weights that PIL uses.
_LUMA = (0.299, 0.587, 0.114)
_SET_OPTION = "Set it at the transform that loads images, in each config of the bundle, or convert the file"
_REMEDIES = {
    Fault.SEVERAL_FRAMES: _SET_OPTION,
    Fault.TRANSPARENT_PIXELS: _SET_OPTION,
    Fault.UNKNOWN_VALUE_RANGE: _SET_OPTION,
    Fault.PIXELS_NOT_CHECKED: "Install a decoder, such as pylibjpeg or python-gdcm, or convert the file",
    Fault.UNSUPPORTED_PIXELS: "Convert the file, then run `monai-unlearn index build` again",
}
_FIX = "Fix or remove the file, then run `monai-unlearn index build` again"


class LoadImage2Dd(MapTransform):
    """Read a 2-D image as a float tensor of shape (channel, height, width) with values in [0, 1].

    The content of a file decides whether it is DICOM. This replaces MONAI's `LoadImaged`, which transposes height and
    width of 2-D images, and whose readers fall back to one another on a damaged file: an image that cannot be read
    completely must stop the run, with a message that names it. Images come upright: their Exif orientation is applied.

    Values are scaled by the range of their type: 8-bit images by 255, DICOM by its stored bits, grey PNG and TIFF by
    their 9 to 16 bits. What a file leaves open must be set, or the file is refused.

    Args:
        keys: Keys of the items that hold a path.
        channels: 3 for colour (RGB), 1 for grey. Grey images are repeated, colour is reduced to luma.
        frame: The number of the frame or page to read, from 0, of files with several.
        value_range: The values that become 0 and 1 in grey PNG and TIFF images of more than 8 bits, and in DICOM images
            of floating-point values; 32-bit and floating-point values need it. Values beyond are clipped.
        background: What is behind transparent pixels: a grey level or an RGB colour, in [0, 1].
        allow_missing_keys: Do not raise if a key is missing.

    Raises:
        DataError: `channels` is neither 1 nor 3.
        ConfigError: `frame`, `value_range` or `background` is out of range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        channels: int = 3,
        frame: int | None = None,
        value_range: Sequence[float] | None = None,
        background: float | Sequence[float] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if channels not in PIL_MODES:
            raise DataError(f"LoadImage2Dd takes channels 1 or 3, got {channels}.")
        self.channels = channels
        self.options = ImageOptions(frame=frame, value_range=value_range, background=background)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace each path by its image.

        Raises:
            DataError: A file cannot be read, is truncated, or is not one 2-D image that the options determine.
        """
        item = dict(data)
        for key in self.key_iterator(item):
            with named_by_id(item, item[key]):
                pixels = read_image(Path(item[key]), channels=self.channels, options=self.options)
            item[key] = torch.from_numpy(pixels)
        return item


def read_image(path: Path, *, channels: int = 3, options: ImageOptions = DEFAULT) -> NDArray[np.float32]:
    """Return an image as an array of shape (channel, height, width) with values in [0, 1].

    Raises:
        DataError: The file cannot be read, is truncated, or is not one 2-D image that the options determine. A fault
            that `index build --decode-check` finds is described in the same words.
    """
    try:
        pixels = (
            _dicom_pixels(path, options) if _is_dicom(path) else image_pixels(path, channels=channels, options=options)
        )
    except DataError:
        raise
    except FaultyFileError as refused:
        remedy = _REMEDIES.get(refused.fault, _FIX)
        raise DataError(f"{path}: this file {refused.fault.sentence}. {remedy}.") from None
    except Exception as error:  # decoders raise anything on damaged files
        sentence = Fault.PIXEL_DATA_UNDECODABLE.sentence
        raise DataError(f"{path}: this file {sentence} ({type(error).__name__}). {_FIX}.") from error
    if pixels.ndim == SPATIAL_DIMS:
        pixels = pixels[..., None]
    if pixels.ndim != SPATIAL_DIMS + 1 or pixels.shape[-1] not in PIL_MODES:
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


def _dicom_pixels(path: Path, options: ImageOptions) -> NDArray[np.float32]:
    """Scale stored values to [0, 1] by the declared bit depth (PS3.3 C.7.6.3); invert MONOCHROME1.

    Colour is returned as RGB: pydicom converts YBR, and the palette of PALETTE COLOR is applied.
    """
    with opened_pixels(path) as dataset:
        count = frame_count(dataset)
        if options.frame is None and count > 1:
            raise FaultyFileError(Fault.SEVERAL_FRAMES)
        if options.frame is not None and options.frame >= count:
            raise no_frame(path, options.frame, count)
        pixels = decoded(dataset, options.frame)
        photometric = dataset.PhotometricInterpretation
        if photometric == "PALETTE COLOR":
            pixels = apply_color_lut(pixels, dataset)
            return np.asarray(pixels / np.float32(np.iinfo(pixels.dtype).max), np.float32)
        low, high = _stored_range(dataset, options)
    scaled = (pixels.astype(np.float32) - low) / (high - low)
    if np.issubdtype(pixels.dtype, np.floating):
        scaled = np.clip(scaled, 0, 1)
    return np.asarray(1 - scaled if photometric == "MONOCHROME1" else scaled, np.float32)


def _stored_range(dataset: Dataset, options: ImageOptions) -> Sequence[float]:
    if "PixelData" not in dataset:  # floating-point values
        if options.value_range is None:
            raise FaultyFileError(Fault.UNKNOWN_VALUE_RANGE)
        return options.value_range
    low = -(2 ** (dataset.BitsStored - 1)) if dataset.PixelRepresentation else 0
    return low, low + 2**dataset.BitsStored - 1


def _with_channels(pixels: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    if pixels.shape[-1] == channels:
        return pixels
    if channels == len(_LUMA):
        return np.repeat(pixels, 3, axis=-1)
    luma: NDArray[np.float32] = np.asarray(pixels @ np.array(_LUMA, np.float32), np.float32)
    return luma[..., None]
