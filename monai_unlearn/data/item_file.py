"""A transformed item as a file of its own, which says what it holds: layout as JSON, then the record; no pickle."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from monai_unlearn.data.record_layout import Field, RecordLayout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LENGTH = struct.Struct("<Q")
_TENSOR, _ARRAY, _SCALAR = "tensor", "array", "scalar"
_NUMBERS = {"bool": bool, "int": int, "float": float}


def to_file(layout: RecordLayout, record: bytes) -> bytes | None:
    """Return the content of the file of an item; None where the file could not say what it holds.

    Args:
        layout: The item's layout.
        record: Its record, of `layout.size` bytes.
    """
    fields = [_described(field) for field in layout.fields]
    if None in fields:
        return None
    head = json.dumps({"keys": layout.keys, "fields": fields, "size": layout.size}).encode()
    return _LENGTH.pack(len(head)) + head + record


def read_item(path: Path, before: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the item of a file, with memory of its own; None where there is no such file, or not a whole one.

    Args:
        path: The file.
        before: The item before the transform, whose other values it takes.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    try:
        start = _LENGTH.size + _LENGTH.unpack_from(content)[0]
        layout = _layout(json.loads(content[_LENGTH.size : start]))
        record = bytearray(content[start:])
        return layout.decode(before, record) if len(record) == layout.size else None
    except (ValueError, KeyError, TypeError, AttributeError, struct.error):
        return None


def _described(field: Field) -> dict[str, Any] | None:
    kind, dtype = _kind(field), str(field.dtype).removeprefix("torch.")
    if field.kind is not Tensor:
        dtype = field.dtype.str
        if np.dtype(dtype) != field.dtype:  # with named parts, which the text leaves out
            return None
    if kind is None:
        return None
    place = {"shape": field.shape, "offset": field.offset, "size": field.size}
    return {"key": field.key, "kind": kind, "dtype": dtype, **place}


def _kind(field: Field) -> str | None:
    if field.kind is Tensor:
        return _TENSOR
    if field.kind is np.ndarray:
        return _ARRAY
    if field.kind is field.dtype.type:
        return _SCALAR
    return next((name for name, kind in _NUMBERS.items() if kind is field.kind), None)


def _layout(head: Mapping[str, Any]) -> RecordLayout:
    fields = tuple(_field(one) for one in head["fields"])
    return RecordLayout(keys=tuple(head["keys"]), fields=fields, size=head["size"])


def _field(one: Mapping[str, Any]) -> Field:
    name = one["kind"]
    dtype = getattr(torch, one["dtype"]) if name == _TENSOR else np.dtype(one["dtype"])
    kinds = {_TENSOR: Tensor, _ARRAY: np.ndarray, **_NUMBERS}
    kind = dtype.type if name == _SCALAR else kinds[name]
    return Field(
        key=one["key"], kind=kind, dtype=dtype, shape=tuple(one["shape"]), offset=one["offset"], size=one["size"]
    )
