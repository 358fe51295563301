"""Compares a fast reader with the pydicom reader, on any files."""

from __future__ import annotations

import pyarrow as pa

from monai_unlearn.index.fast_readers import Reader, gdcm
from monai_unlearn.index.fast_readers.plain import read_plain
from monai_unlearn.index.fast_readers.values import OddFileError
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.scan.workers import read_in_processes


def rows(files, reader):
    """Read in a worker: GDCM may crash the process that it runs in."""
    listed = [file if isinstance(file, Listed) else Listed(path=str(file), relative="", size=0) for file in files]
    chunks = [listed[at : at + 50] for at in range(0, len(listed), 50)]
    found = dict(read_in_processes(chunks, ScanOptions(reader=reader), workers=1, meanwhile=False))
    return pa.concat_tables([found[number] for number in sorted(found)])


def assert_same(files, reader):
    """Assert that both readers return the same rows, and return them."""
    expected, found = rows(files, Reader.PYDICOM), rows(files, reader)
    for row, other in zip(expected.to_pylist(), found.to_pylist(), strict=True):
        assert other == row, row["path"]
    return expected


def is_fast(path, reader):
    """Return whether the reader itself reads a file, rather than pydicom."""
    if reader is Reader.GDCM:
        return next(gdcm.read_with_gdcm([str(path)])) is not None
    try:
        return bool(read_plain(str(path)))
    except OddFileError:
        return False
