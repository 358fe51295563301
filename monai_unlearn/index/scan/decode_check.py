"""Whether pixels decode: what lengths cannot tell, since only a decoder reads what is compressed.

Decoders are C and C++, and this feeds them damaged files: they run in processes of their own. One that dies, or does
not end, costs a chunk, which is tried again file by file; the file that it dies of has a fault.
"""

from __future__ import annotations

import os
import warnings
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.usable import is_usable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

# Decoded pixels of one frame or picture, in bytes, beyond which a file is refused rather than decoded.
MAX_DECODED = 2 * 1024**3
_FILES_A_CHUNK = 32
_SECONDS_A_FILE = 60
_PIECE = 1 << 20


def decode_fault(path: Path, file_format: str) -> Fault | None:
    """Decode all pixels of a file, frame by frame, and return what is wrong with them.

    Args:
        path: A file that was read without a fault of its pixels.
        file_format: `dicom`, `nifti` or `image`, as its row says.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _DECODE[file_format](path)
        except Exception:  # noqa: BLE001 - a decoder raises anything; the file has a fault all the same
            return Fault.PIXEL_DATA_UNDECODABLE


class DecodeCheck:
    """Processes that decode the pixels of files, kept for as long as they are needed.

    Args:
        workers: How many; as many as there are cores where null.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def rows(self, rows: pa.Table) -> pa.Table:
        """Return what files say, with a fault where the pixels of a usable image do not decode.

        Args:
            rows: A row a file, with `path`, `format` and `fault`.
        """
        faults: list[str | None] = rows["fault"].to_pylist()
        paths, formats = rows["path"].to_pylist(), rows["format"].to_pylist()
        wanted = [
            at
            for at, fault in enumerate(faults)
            if is_usable(fault) and formats[at] in _DECODE and paths[at] is not None
        ]
        found = self._check([(paths[at], formats[at]) for at in wanted])
        for at, fault in zip(wanted, found, strict=True):
            # A fault that takes the image away counts more than one of its values.
            if fault is not None and (faults[at] is None or not fault.usable):
                faults[at] = fault.code
        column = pa.array(faults, pa.string())
        return rows.set_column(rows.column_names.index("fault"), rows.schema.field("fault"), column)

    def _check(self, files: Sequence[tuple[str, str]]) -> list[Fault | None]:
        chunks = [files[start : start + _FILES_A_CHUNK] for start in range(0, len(files), _FILES_A_CHUNK)]
        pending = [self._submit(chunk) for chunk in chunks]
        found: list[Fault | None] = []
        for at, chunk in enumerate(chunks):
            answer = self._answer(pending[at], _SECONDS_A_FILE * len(chunk))
            if answer is None:
                answer = [self._alone(file) for file in chunk]
                pending[at + 1 :] = [self._submit(later) for later in chunks[at + 1 :]]
            found += answer
        return found

    def _alone(self, file: tuple[str, str]) -> Fault | None:
        answer = self._answer(self._submit([file]), _SECONDS_A_FILE)
        return Fault.PIXEL_DATA_UNDECODABLE if answer is None else answer[0]

    def _submit(self, files: Sequence[tuple[str, str]]) -> Any:  # noqa: ANN401 - a future, or nothing where none runs
        if self._pool is None:
            # Not forked: the parent has threads, of Arrow and others.
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
        try:
            return self._pool.submit(_faults_of, files)
        except BrokenProcessPool:
            self._end()
            return None

    def _answer(self, future: Any, seconds: float) -> list[Fault | None] | None:  # noqa: ANN401
        """Return what a process found, or nothing where it died or did not end."""
        if future is None:
            return None
        try:
            codes = future.result(seconds)
        except (BrokenProcessPool, CancelledError, FutureTimeoutError, OSError):
            self._end()
            return None
        return [None if code is None else Fault.of(code) for code in codes]

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 - it has no other way to end one
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)


def _faults_of(files: Sequence[tuple[str, str]]) -> list[str | None]:
    found = (decode_fault(Path(path), file_format) for path, file_format in files)
    return [None if fault is None else fault.code for fault in found]


def _decode_dicom(path: Path) -> Fault | None:
    import pydicom
    from pydicom.pixels import iter_pixels

    from monai_unlearn.index.readers.dicom import inflated, lenient_values

    with lenient_values(), path.open("rb") as stream:
        inflated(stream)  # refuses what pydicom would inflate without a limit
        stream.seek(0)
        dataset = pydicom.dcmread(stream)
        if "PixelData" not in dataset:  # floating point pixels are as they are stored
            return None
        syntax = dataset.file_meta.TransferSyntaxUID
        if not syntax.is_encapsulated:
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
        while piece := content.read(_PIECE):  # behind the last piece gzip compares its checksum
            size += len(piece)
            if size > MAX_INFLATED:
                return Fault.TOO_LARGE_INFLATED
    return None


_DECODE = {"dicom": _decode_dicom, "image": _decode_image, "nifti": _decode_nifti}
