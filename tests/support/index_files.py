"""Many DICOM files from one, and worker processes that crash or hang on some files."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.scan.file_rows import rows_of
from monai_unlearn.index.scan.packing import packed
from monai_unlearn.index.scan.workers import READY, received, work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from monai_unlearn.index.listing import Listed
    from monai_unlearn.index.scan.options import ScanOptions


def write_copies(folder: Path, original: Path, uid: str, count: int) -> list[Path]:
    """Write copies of a file, ten in a folder, each with a different SOPInstanceUID."""
    content, paths = original.read_bytes(), []
    for number in range(count):
        path = folder / f"{number // 10:04d}" / f"{number:05d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(content.replace(uid.encode(), f"{uid[:-6]}1{number:05d}".encode()))
        paths.append(path)
    return paths


def work_that_dies(pipe: Connection, options: ScanOptions) -> None:
    """Read files, but crash on those named `deadly` unless pydicom reads them, and always on those named `fatal`."""
    pipe.send_bytes(READY)
    while True:
        files, reader = received(pipe)
        if _has(files, "fatal") or (_has(files, "deadly") and reader is not Reader.PYDICOM):
            os.abort()
        pipe.send_bytes(packed(rows_of(files, reader=reader, options=options)))


def work_that_hangs(pipe: Connection, options: ScanOptions) -> None:
    """Read files, but hang on those named `endless`."""
    pipe.send_bytes(READY)
    while True:
        files, reader = received(pipe)
        if _has(files, "endless"):
            time.sleep(3600)
        pipe.send_bytes(packed(rows_of(files, reader=reader, options=options)))


def work_that_never_begins(pipe: Connection, options: ScanOptions) -> None:
    """End at once."""
    os._exit(3)


def work_that_looks(descriptor: int, found: Path, pipe: Connection, options: ScanOptions) -> None:
    """Note whether a file of the process that started this one is open here, and read files."""
    try:
        os.fstat(descriptor)
        found.write_text("open")
    except OSError:
        found.write_text("closed")
    work(pipe, options)


def _has(files: list[Listed], name: str) -> bool:
    return any(name in file.path for file in files)
