"""The pixels of plain images (JPEG, PNG, TIFF, BMP): scaled to [0, 1] as the file means them, or refused with a fault.

Pillow decodes. What it would saturate, cut to 8 bits, ignore or take for opaque is handled here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.image_options import DEFAULT, ImageOptions, no_frame
from monai_unlearn.index.readers.image_table import FORMATS
from monai_unlearn.index.readers.row import FaultyFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PIL_MODES = {1: "L", 3: "RGB"}

_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_OF_8_BITS = ("1", "L", "P", "RGB", "CMYK", "YCbCr", *_WITH_ALPHA)
_DEEP_GREY = ("I;16", "I;16B", "I;16L", "I", "F")
# TIFF 6.0, sections 3, 8 and 19.
_SUBFILE, _BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 254, 258, 262, 339
_REDUCED, _WHITE_IS_ZERO, _SIGNED, _FLOATING = 1, 0, 2, 3
_ORIENTATION = 274
# What brings an image of each Exif orientation upright (Exif 2.32, section 4.6.4 A).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def image_pixels(path: Path, *, channels: int = 3, options: ImageOptions = DEFAULT) -> NDArray[np.float32]:
    """Return the pixels of an image, upright, in [0, 1].

    Images of 8 bits are scaled by 255. Grey integers of 9 to 16 bits are scaled by the range of their type (0 to 65535
    for a 16-bit PNG, -32768 to 32767 for a signed TIFF), as DICOM images are by their stored bits. An integer of 32
    bits or a floating-point number does not say which value is white: it needs `value_range`.

    Args:
        path: The file.
        channels: 3 for colour, 1 for grey.
        options: What the file leaves open.

    Returns:
        An array of shape (height, width), or (height, width, 3) for colour.

    Raises:
        FaultyFileError: The image is refused; the fault says why.
        DataError: The file has no frame of the number in `options`.
        OSError: The file is damaged; Pillow also raises other errors.
    """
    # From a path, Pillow maps the file, and then confuses height and width of a TIFF that lies on its side.
    with path.open("rb") as stream, _opened(stream) as image:
        _select_frame(image, path, options.frame)
        if image.mode in _DEEP_GREY:
            return _deep_grey(image, options)
        if image.mode not in _OF_8_BITS or _loses_bits(image, stream):
            raise FaultyFileError(Fault.UNSUPPORTED_PIXELS)
        image.load()
        upright = _upright(image)
    if _is_transparent(upright):
        return _composed(upright, options.background)
    pixels: NDArray[np.float32] = np.asarray(upright.convert(PIL_MODES[channels]), dtype=np.float32)
    pixels /= np.float32(255)
    return pixels


def _opened(stream: BinaryIO) -> Image.Image:
    try:
        return Image.open(stream, formats=FORMATS)
    except UnidentifiedImageError:
        raise FaultyFileError(Fault.NOT_AN_IMAGE) from None


def _select_frame(image: Image.Image, path: Path, frame: int | None) -> None:
    """Go to the frame; without a choice there must be one, apart from thumbnails and copies of a lower resolution."""
    count = getattr(image, "n_frames", 1)
    if frame is not None and frame >= count:
        raise no_frame(path, frame, count)
    if count == 1:
        return
    full = [frame] if frame is not None else [number for number in range(count) if _is_full(image, number)]
    if len(full) > 1:
        raise FaultyFileError(Fault.SEVERAL_FRAMES)
    image.seek(full[0] if full else 0)


def _is_full(image: Image.Image, number: int) -> bool:
    if image.format == "MPO":  # CIPA DC-007, section 5.2.3.3
        return "Thumbnail" not in str(getattr(image, "mpinfo", {})[0xB002][number]["Attribute"]["MPType"])
    image.seek(number)
    return not getattr(image, "tag_v2", {}).get(_SUBFILE, 0) & _REDUCED


def _tag(image: Image.Image, number: int, default: int) -> tuple[int, ...]:
    value = getattr(image, "tag_v2", {}).get(number, default)
    return value if isinstance(value, tuple) else (value,)


def _loses_bits(image: Image.Image, stream: BinaryIO) -> bool:
    """Return whether Pillow would return other values than are stored: it cuts colour to 8 bits, and ignores signs."""
    if image.format == "PNG":
        position = stream.tell()
        stream.seek(24)
        depth = stream.read(1)[0]
        stream.seek(position)
        return depth > 8  # noqa: PLR2004 - the bit depth, in the header chunk (PNG, section 11.2.1)
    return max(_tag(image, _BITS, 1)) > 8 or _SIGNED in _tag(image, _SAMPLE_FORMAT, 1)  # noqa: PLR2004 - bits


def _deep_grey(image: Image.Image, options: ImageOptions) -> NDArray[np.float32]:
    is_tiff = image.format == "TIFF"
    bits = _tag(image, _BITS, 1)[0] if is_tiff else 16
    sample_format = _tag(image, _SAMPLE_FORMAT, 1)[0] if is_tiff else 1
    is_white_zero = is_tiff and _tag(image, _PHOTOMETRIC, 1)[0] == _WHITE_IS_ZERO
    image.load()
    values = np.asarray(_upright(image))
    if bits == 32 and sample_format not in {_SIGNED, _FLOATING}:  # noqa: PLR2004 - Pillow has no unsigned 32 bits
        values = values.view(np.uint32)
    if not np.isfinite(values).all():
        raise FaultyFileError(Fault.UNSUPPORTED_PIXELS)
    low, high = options.value_range or _range_of_type(bits, sample_format)
    scaled = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1).astype(np.float32)
    scaled = 1 - scaled if is_white_zero else scaled
    hidden = values == image.info["transparency"] if "transparency" in image.info else np.zeros(values.shape, bool)
    return _composed_over(scaled, ~hidden, options.background) if hidden.any() else scaled


def _range_of_type(bits: int, sample_format: int) -> tuple[float, float]:
    if bits > 16 or sample_format == _FLOATING:  # noqa: PLR2004 - nobody fills 32 bits
        raise FaultyFileError(Fault.UNKNOWN_VALUE_RANGE)
    low = -(2 ** (bits - 1)) if sample_format == _SIGNED else 0
    return low, low + 2**bits - 1


def _upright(image: Image.Image) -> Image.Image:
    """Return the image as its Exif orientation means it; Pillow itself does so for TIFF, once it is loaded."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - Pillow raises anything on damaged Exif, which then states no orientation
        return image
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _is_transparent(image: Image.Image) -> bool:
    if image.mode not in _WITH_ALPHA and "transparency" not in image.info:
        return False
    return bool(np.asarray(_with_alpha(image).getchannel("A")).min() < 255)  # noqa: PLR2004 - opaque


def _with_alpha(image: Image.Image) -> Image.Image:
    return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")


def _composed(image: Image.Image, background: float | Sequence[float] | None) -> NDArray[np.float32]:
    pixels = np.asarray(_with_alpha(image), dtype=np.float32) / np.float32(255)
    return _composed_over(pixels[..., :3], pixels[..., 3:], background)


def _composed_over(
    pixels: NDArray[np.float32], alpha: NDArray[np.float32] | NDArray[np.bool_], background: object
) -> NDArray[np.float32]:
    """Return `alpha · pixels + (1 − alpha) · background`, as PNG composes (PNG, section 12.3)."""
    if background is None:
        raise FaultyFileError(Fault.TRANSPARENT_PIXELS)
    behind = np.asarray(background, np.float32)
    if behind.ndim and pixels.ndim == 2:  # noqa: PLR2004 - a colour behind a grey image
        pixels, alpha = pixels[..., None], alpha[..., None]
    return np.asarray(alpha * pixels + (1 - alpha.astype(np.float32)) * behind, np.float32)
