"""The pixels of DICOM files, decoded by pydicom; a compression that nothing installed decodes is told from damage."""

from __future__ import annotations

import logging
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.deflated import inflated
from monai_unlearn.index.readers.lenient import lenient_values
from monai_unlearn.index.readers.row import FaultyFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset
    from pydicom.uid import UID

# DICOM PS3.5 section A.4.13: each frame is deflated by itself. pydicom decodes it from version 3.1 on.
DEFLATED_IMAGE_FRAME = "1.2.840.10008.1.2.8.1"
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# pydicom's plugins refuse by this error, or by a ValueError of their own, what their decoder was not made for.
_PLUGINS_WITH_LIMITS = ("pydicom.pixels.decoders.gdcm", "pydicom.pixels.decoders.pillow")


@contextmanager
def opened_pixels(path: Path) -> Iterator[Dataset]:
    """Open a DICOM file within the block, with the transfer syntax it was read in if it states none.

    Raises:
        FaultyFileError: It is deflated, and inflates to too much.
    """
    with lenient_values(), path.open("rb") as stream:
        inflated(stream)  # refuses what pydicom would inflate without a limit
        stream.seek(0)
        dataset = pydicom.dcmread(stream, force=True)  # a file without a preamble is DICOM, too
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = _syntax_of(dataset)
        yield dataset


def has_pixels(dataset: Dataset) -> bool:
    """Return whether a data set has pixel data of any kind."""
    return any(keyword in dataset for keyword in _PIXELS)


def frame_bytes(dataset: Dataset) -> int:
    """Return the size of one decoded frame."""
    return int((dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated + 7) // 8)


def frame_count(dataset: Dataset) -> int:
    """Return the number of frames that a data set declares; 1 if it declares none."""
    return int(dataset.get("NumberOfFrames") or 1)


def decoded(dataset: Dataset, frame: int | None = None) -> Any:  # noqa: ANN401 - an array of any dtype
    """Return the pixels of one frame, or of all: shape ([frames,] rows, columns[, samples]); YBR becomes RGB.

    Raises:
        FaultyFileError: No installed decoder supports the compression.
        ValueError: The pixel data is damaged; decoders also raise other errors.
    """
    with _refusals():
        return _decoder(dataset).as_array(dataset, index=frame)[0]


def _decoder(dataset: Dataset) -> Any:  # noqa: ANN401 - pydicom ships no types
    """Return the decoder of a data set's transfer syntax; frames that pydicom cannot inflate are inflated in place."""
    try:
        found = get_decoder(dataset.file_meta.TransferSyntaxUID)
    except NotImplementedError:
        if dataset.file_meta.TransferSyntaxUID != DEFLATED_IMAGE_FRAME:
            raise FaultyFileError(Fault.PIXELS_NOT_CHECKED) from None
        _inflate_frames(dataset)
        return _decoder(dataset)
    if not found.is_available:
        raise FaultyFileError(Fault.PIXELS_NOT_CHECKED)
    return found


def _inflate_frames(dataset: Dataset) -> None:
    count, size = frame_count(dataset), frame_bytes(dataset)
    frames = [_inflated(frame, size) for frame in generate_frames(dataset.PixelData, number_of_frames=count)]
    if dataset.BitsAllocated == 1:  # uncompressed, the next frame starts at the next bit, not at the next byte
        bits = np.unpackbits(np.frombuffer(b"".join(frames), np.uint8).reshape(len(frames), size), 1, bitorder="little")
        pixels = np.packbits(bits[:, : dataset.Rows * dataset.Columns], bitorder="little").tobytes()
    else:
        pixels = b"".join(frames)
    dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
    dataset["PixelData"].is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def _inflated(frame: bytes, size: int) -> bytes:
    found = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, size + 1)
    if len(found) != size:
        raise ValueError("a frame inflates to another size than its rows and columns need")
    return found


def _syntax_of(dataset: Dataset) -> UID:
    is_implicit, is_little = dataset.original_encoding
    explicit = ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
    return ImplicitVRLittleEndian if is_implicit else explicit


class _Raised(logging.Handler):
    """Collects what decoders raised: pydicom only logs it, and raises one RuntimeError for all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise a fault instead if every installed decoder refused, before decoding, what it was not made for."""
    raised, logger = _Raised(), logging.getLogger("pydicom.pixels.decoders.base")
    before = logger.propagate
    logger.addHandler(raised)
    logger.propagate = False  # the messages quote the file
    try:
        yield
    except RuntimeError:
        if raised.errors and all(map(_is_limit, raised.errors)):
            raise FaultyFileError(Fault.PIXELS_NOT_CHECKED) from None
        raise
    finally:
        logger.removeHandler(raised)
        logger.propagate = before


def _is_limit(error: BaseException) -> bool:
    if isinstance(error, NotImplementedError):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else trace.tb_frame.f_globals.get("__name__")
    return type(error) is ValueError and where in _PLUGINS_WITH_LIMITS
