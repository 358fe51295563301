"""Arrow arrays as NumPy arrays and back, by their buffers.

PyArrow's own conversions load pandas, which takes longer than a query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import numpy.typing as npt


def known(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Return where an array has a value, shape (rows,)."""
    whole = _whole(array)
    validity = whole.buffers()[0]
    return np.ones(len(whole), dtype=bool) if validity is None else _bits(validity, whole)


def true(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Return where an array of booleans is true, shape (rows,); what is missing is not."""
    whole = _whole(array)
    found = _bits(whole.buffers()[1], whole)
    return found & known(whole) if whole.null_count else found


def numbers(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return an array of numbers of a fixed width, shape (rows,); what stands where one is missing is not defined."""
    whole = _whole(array)
    found: npt.NDArray[Any] = np.frombuffer(whole.buffers()[1], whole.type.to_pandas_dtype())
    return found[whole.offset : whole.offset + len(whole)]


def encoded(array: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """Return an array of texts as codes with a dictionary of its distinct texts, in the order of their first rows."""
    whole = _whole(array)
    return whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()


def of_mask(mask: npt.NDArray[np.bool_]) -> pa.BooleanArray:
    """Return a mask as an Arrow array."""
    bits = np.packbits(mask, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(mask), [None, pa.py_buffer(bits)])


def of_places(places: npt.NDArray[np.int64]) -> pa.Int64Array:
    """Return places of rows as an Arrow array."""
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(np.ascontiguousarray(places, np.int64))])


def _whole(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _bits(buffer: pa.Buffer, array: pa.Array) -> npt.NDArray[np.bool_]:
    bits = np.frombuffer(buffer, np.uint8)
    return np.unpackbits(bits, count=array.offset + len(array), bitorder="little")[array.offset :].view(bool)
