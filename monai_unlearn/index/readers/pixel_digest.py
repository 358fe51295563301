"""The digest of an image's pixels: by it, another image in the place of one that was seen before is noticed.

It is taken of the bytes that the pixels are stored in, not of decoded values: these depend on the version of the
decoder, and would cost several times as much. Of a DICOM file these are the value of its pixel data and the elements
that say what the bytes mean (DICOM PS3.3 section C.7.6.3): editing another tag or moving the file does not change it.
Of every other file, and of DICOM files with a palette, they are all bytes. The same image in another compression has
another digest.
"""

from __future__ import annotations

import hashlib
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

from monai_unlearn.index.readers import dicom
from monai_unlearn.index.readers.header import read_header
from monai_unlearn.index.readers.lenient import lenient_values, value_of
from monai_unlearn.index.readers.pixels import DESCRIBES_PIXELS, end_of_fragments
from monai_unlearn.index.readers.row import FaultyFileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from monai_unlearn.index.readers.pixels import PixelElement

_DESCRIBED_BY = (*DESCRIBES_PIXELS, "BitsStored", "HighBit", "PixelRepresentation", "PlanarConfiguration")
_UNDEFINED = 0xFFFFFFFF
_CHUNK = 1 << 20
_THREADS = 4


def pixel_digest(path: Path) -> str | None:
    """Return `sha256:…` of the pixels of an image file; null where it is a DICOM file without readable pixel data.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        if not dicom.recognises(stream.read(dicom.HEAD)):
            stream.seek(0)
            _add(digest, stream, None)
        elif not _add_dicom(digest, stream):
            return None
    return f"sha256:{digest.hexdigest()}"


def pixel_digests(paths: Iterable[Path]) -> list[str | None]:
    """Return the digest of each file, in their order; null where it cannot be read or has no pixels.

    Threads wait for the files together: reading and hashing release Python's lock.
    """
    # Entered once for all threads, whose own entries then change nothing: pydicom's settings are global.
    with lenient_values(), ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(_digest_or_null, paths))


def _digest_or_null(path: Path) -> str | None:
    try:
        return pixel_digest(path)
    except OSError:
        return None


def _add_dicom(digest: hashlib._Hash, stream: BinaryIO) -> bool:
    """Add the pixel data of a DICOM file, and what describes it; return whether there is any."""
    with lenient_values():
        try:
            dataset, end = read_header(stream)
        except FaultyFileError:
            return False
        if end.pixels is None:
            return False
        described = [value_of(dataset, keyword) for keyword in _DESCRIBED_BY]
    if str(value_of(dataset, "PhotometricInterpretation")).startswith("PALETTE"):
        stream.seek(0)  # a palette may be as long as the pixels, and stands in several elements
        _add(digest, stream, None)
        return True
    digest.update(" ".join(map(str, [hex(end.pixels.tag), _encoding(dataset), *described])).encode() + b"\n")
    end.pixels.stream.seek(end.pixels.offset)
    _add(digest, end.pixels.stream, _length(end.pixels))
    return True


def _encoding(dataset: Dataset) -> str:
    """Return how pixels are stored: the transfer syntax where it compresses them, else the order of their bytes."""
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is not None and syntax.is_transfer_syntax and syntax.is_encapsulated:
        return str(syntax)
    return "little endian" if dataset.original_encoding[1] else "big endian"


def _length(pixels: PixelElement) -> int | None:
    """Return how many bytes the pixel data has; null for all that follow, where its end cannot be found."""
    if pixels.length != _UNDEFINED:
        return pixels.length
    try:
        return end_of_fragments(pixels) - pixels.offset
    except (OSError, ValueError, struct.error):
        return None
    finally:
        pixels.stream.seek(pixels.offset)


def _add(digest: hashlib._Hash, stream: BinaryIO, length: int | None) -> None:
    left = length
    while chunk := stream.read(_CHUNK if left is None else min(left, _CHUNK)):
        digest.update(chunk)
        left = None if left is None else left - len(chunk)
