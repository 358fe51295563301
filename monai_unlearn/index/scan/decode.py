"""Decoding all pixels of one file: only a decoder finds faults within compressed pixel data."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from monai_unlearn.index.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

# A frame or image that decodes to more bytes is refused rather than decoded.
MAX_DECODED = 2 * 1024**3
_CHUNK = 1 << 20


def decode_fault(path: Path, file_format: str) -> Fault | None:
    """Decode all pixels of a file, frame by frame, and return what is wrong with them.

    Args:
        path: A file that was read without a fault of its pixels.
        file_format: `dicom`, `nifti` or `image`, as in its row.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _DECODE[file_format](path)
        except Exception:  # noqa: BLE001 - a decoder may raise anything; the file has a fault in any case
            return Fault.PIXEL_DATA_UNDECODABLE


def has_decoder(file_format: str | None) -> bool:
    """Return whether `decode_fault` takes files of this format."""
    return file_format in _DECODE


def _decode_dicom(path: Path) -> Fault | None:
    import pydicom
    from pydicom.pixels import iter_pixels

    from monai_unlearn.index.readers.deflated import inflated
    from monai_unlearn.index.readers.lenient import lenient_values

    with lenient_values(), path.open("rb") as stream:
        inflated(stream)  # refuses what pydicom would inflate without a limit
        stream.seek(0)
        dataset = pydicom.dcmread(stream, force=True)  # a file without a preamble is DICOM, too
        if "PixelData" not in dataset:  # floating-point pixels are never compressed
            return None
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        if syntax is None or not syntax.is_encapsulated:
            return None  # the reader has compared the lengths
        if not _can_decode(syntax):
            return Fault.PIXELS_NOT_CHECKED
        if _frame_bytes(dataset) > MAX_DECODED:
            return Fault.TOO_LARGE_INFLATED
        frames = sum(1 for _ in iter_pixels(dataset, raw=True))
    return None if frames >= int(dataset.get("NumberOfFrames") or 1) else Fault.PIXEL_DATA_SHORT


def _can_decode(syntax: str) -> bool:
    from pydicom.pixels import get_decoder

    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _frame_bytes(dataset: Any) -> int:  # noqa: ANN401 - pydicom ships no types
    return int(dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * (dataset.BitsAllocated + 7) // 8)


def _decode_image(path: Path) -> Fault | None:
    from PIL import Image

    with Image.open(path) as image:
        if image.width * image.height * len(image.getbands()) > MAX_DECODED:
            return Fault.TOO_LARGE_INFLATED
        image.load()
    return None


def _decode_nifti(path: Path) -> Fault | None:
    from monai_unlearn.index.readers.nifti import MAX_INFLATED, inflated

    size = 0
    with path.open("rb") as stream:
        content = inflated(stream)
        while chunk := content.read(_CHUNK):  # after the last chunk gzip compares its checksum
            size += len(chunk)
            if size > MAX_INFLATED:
                return Fault.TOO_LARGE_INFLATED
    return None


_DECODE = {"dicom": _decode_dicom, "image": _decode_image, "nifti": _decode_nifti}
