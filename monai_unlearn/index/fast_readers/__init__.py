"""Fast readers: they read common DICOM files quickly, with the same rows as the pydicom reader."""

from __future__ import annotations

from enum import Enum
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.fast_readers import plain
from monai_unlearn.index.fast_readers.gdcm import load_gdcm, read_with_gdcm
from monai_unlearn.index.fast_readers.plain import read_plain
from monai_unlearn.index.fast_readers.values import OddFileError
from monai_unlearn.index.readers import Row, file_columns, read_file
from monai_unlearn.index.readers.identity import settled
from monai_unlearn.index.store.schema import arrow_type
from monai_unlearn.vocabulary.placeholders import is_placeholder
from monai_unlearn.vocabulary.sop_classes import is_derived

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monai_unlearn.index.listing import Listed


class Reader(str, Enum):
    """The reader that is tried first; pydicom reads every file that is unusual in any way."""

    AUTO = "auto"
    PLAIN = "plain"
    PYDICOM = "pydicom"
    GDCM = "gdcm"

    def check(self) -> None:
        """Refuse a reader that is not installed.

        Raises:
            IndexReadError: It is not installed.
        """
        if self is Reader.GDCM:
            load_gdcm()


def read_files(files: Sequence[Listed], *, reader: Reader) -> pa.Table:
    """Read files into a table of `schema()`, one row per file, in their order.

    Args:
        files: The files.
        reader: The reader that is tried first.
    """
    rows = _rows([file.path for file in files if file.fault is None], reader)
    names = tuple(file_columns())
    empty: Row = dict.fromkeys(names)
    pick = itemgetter(*names)
    values = [
        pick({**empty, **settled(next(rows) if file.fault is None else {"fault": file.fault.code})}) for file in files
    ]
    own = ([file.path for file in files], [file.size for file in files], [file.mtime_ns for file in files])
    columns = zip(*values, strict=True) if files else ((),) * len(names)
    return pa.table([*own, *columns], schema=schema())


def prepare() -> None:
    """Load what reading needs beside the files: a process that forks does it once for all forks."""
    schema()
    plain.prepare()
    is_derived("")
    is_placeholder("")


def _rows(paths: Sequence[str], reader: Reader) -> Iterator[Row]:
    if reader is Reader.GDCM:
        return (row or read_file(Path(path)) for path, row in zip(paths, read_with_gdcm(paths), strict=True))
    if reader is Reader.PYDICOM:
        return (read_file(Path(path)) for path in paths)
    return map(_read, paths)


def _read(path: str) -> Row:
    try:
        return read_plain(path)
    except (OddFileError, OSError):
        return read_file(Path(path))


@cache
def schema() -> pa.Schema:
    """Return the columns that are stored of each file."""
    columns = {"path": pa.string(), "file_size": pa.int64(), "file_mtime_ns": pa.int64()}
    return pa.schema({**columns, **{name: arrow_type(kind) for name, kind in file_columns().items()}})
