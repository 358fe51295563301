"""Rows of files as bytes, as worker processes send them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.fast_readers import Reader, read_files
from monai_unlearn.index.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.index.listing import Listed


def packed(rows: pa.Table) -> bytes:
    """Return rows as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def unpacked(content: bytes) -> pa.Table:
    """Return the rows that `packed` made into bytes."""
    with pa.ipc.open_stream(pa.py_buffer(content)) as reader:
        return reader.read_all()


def unreadable(files: Sequence[Listed]) -> pa.Table:
    """Return the rows of files that crash every reader."""
    return read_files([file._replace(fault=Fault.UNREADABLE) for file in files], reader=Reader.PYDICOM)
