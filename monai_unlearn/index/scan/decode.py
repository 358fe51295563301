"""Decoding all pixels of one file: only a decoder finds faults within compressed pixel data."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.row import FaultyFileError

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
        except FaultyFileError as refused:
            return refused.fault
        except Exception:  # noqa: BLE001 - a decoder may raise anything; the file has a fault in any case
            return Fault.PIXEL_DATA_UNDECODABLE


def has_decoder(file_format: str | None) -> bool:
    """Return whether `decode_fault` takes files of this format."""
    return file_format in _DECODE


def _decode_dicom(path: Path) -> Fault | None:
    from monai_unlearn.index.readers.dicom_pixels import decoded, frame_bytes, frame_count, has_pixels, opened_pixels

    with opened_pixels(path) as dataset:
        if not has_pixels(dataset):
            return None
        syntax = dataset.file_meta.TransferSyntaxUID
        is_native = syntax.is_transfer_syntax and not syntax.is_encapsulated
        if not is_native and frame_bytes(dataset) > MAX_DECODED:
            return Fault.TOO_LARGE_INFLATED
        for frame in range(frame_count(dataset)):  # pydicom's iterators fail where a frame's sign has to be corrected
            decoded(dataset, frame)
    return None


def _decode_image(path: Path) -> Fault | None:
    from PIL import Image

    from monai_unlearn.index.readers.image_pixels import image_pixels
    from monai_unlearn.index.readers.image_table import FORMATS

    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height * len(image.getbands()) > MAX_DECODED:
            return Fault.TOO_LARGE_INFLATED
    image_pixels(path)
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
