"""An item as bytes of a fixed length: its tensors, arrays and numbers, in the layout of the first item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import torch
from monai.data import list_data_collate
from torch import Tensor

from monai_unlearn.errors import ConfigError, DataError

Buffer: TypeAlias = "bytes | bytearray | np.ndarray[Any, Any]"
_ALIGNMENT = 16
# What a file can hold without pickle, in the words of messages.
_HELD = "tensors, arrays and numbers"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One value of an item.

    Attributes:
        key: Its key.
        kind: The type to return it as: Tensor, np.ndarray, or that of a number.
        dtype: The type of its elements.
        shape: Its shape; of a number, ().
        offset: Where it begins in the record, in bytes.
        size: How many bytes it has.
    """

    key: str
    kind: type
    dtype: Any
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True, kw_only=True)
class RecordLayout:
    """Where the values of an item are in its record.

    Values that the transform left as they were, such as the identifier, come from the item before it.

    Attributes:
        keys: All keys, in order.
        fields: The values in the record.
        size: The length of a record, in bytes.

    Example:
        >>> before = {"image": "a.png", "image_id": "a"}
        >>> layout = RecordLayout.of(before, {"image": torch.ones(2), "image_id": "a"})
        >>> record = layout.encode(before, {"image": torch.ones(2), "image_id": "a"})
        >>> layout.decode(before, bytearray(record))
        {'image': tensor([1., 1.]), 'image_id': 'a'}
    """

    keys: tuple[str, ...]
    fields: tuple[Field, ...]
    size: int

    @classmethod
    def of(cls, before: Any, item: Any) -> RecordLayout:  # noqa: ANN401 - whatever a transform takes and returns
        """Return the layout of an item and of all like it.

        Args:
            before: The item that went into the transform.
            item: What came out.

        Raises:
            ConfigError: It holds something else than tensors, arrays, numbers and what was there before.
        """
        if not isinstance(before, Mapping) or not isinstance(item, Mapping):
            raise _unfit(f"a {type(item).__name__}")
        fields: list[Field] = []
        end = 0
        for key, value in item.items():
            if _is_as_before(before, key, value):
                continue
            array = _array(key, value)
            dtype = value.dtype if isinstance(value, Tensor) else array.dtype
            kind = Tensor if isinstance(value, Tensor) else type(value)
            shape = tuple(value.shape) if isinstance(value, Tensor) else array.shape
            fields.append(Field(key=key, kind=kind, dtype=dtype, shape=shape, offset=end, size=array.nbytes))
            end += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
        return cls(keys=tuple(item), fields=tuple(fields), size=end)

    def encode(self, before: Mapping[str, Any], item: Mapping[str, Any]) -> bytes:
        """Return the record of an item.

        Raises:
            DataError: It is not like the first item: another shape, type or key.
        """
        found = RecordLayout.of(before, item)
        if found != self:
            raise DataError(
                f"image {before.get('image_id', '(without an identifier)')}: expected {_shown(self)} as of the first "
                f"image, got {_shown(found)}. All images need one shape: resize or pad them in `preprocessing`."
            )
        record = bytearray(self.size)
        for field in self.fields:
            record[field.offset : field.offset + field.size] = _array(field.key, item[field.key]).tobytes()
        return bytes(record)

    def decode(self, before: Mapping[str, Any], record: Buffer) -> dict[str, Any]:
        """Return the item of a record; its tensors and arrays share the record's memory."""
        values = {field.key: _value(field, record) for field in self.fields}
        return {key: values[key] if key in values else before[key] for key in self.keys}

    def decode_batch(self, before: Sequence[Mapping[str, Any]], records: Tensor) -> dict[str, Any]:
        """Return the batch that MONAI's `list_data_collate` makes of the items of some records, without a copy of each.

        Args:
            before: The items before the transform, not empty.
            records: Their records, uint8, shape (item, `size`).
        """
        tensors = {
            field.key: records[:, field.offset : field.offset + field.size]
            .contiguous()
            .view(field.dtype)
            .reshape(len(before), *field.shape)
            for field in self.fields
            if _is_batched(field)
        }
        rest = self._rest
        if rest.fields:
            pairs = zip(before, records, strict=True)
            items = [rest.decode(item, record.numpy()) for item, record in pairs]
        else:  # as most transforms have it: decoding each record for nothing takes longer than to read it
            items = [{key: item[key] for key in rest.keys} for item in before]
        values = list_data_collate(items) if rest.keys else {}
        return {key: tensors[key] if key in tensors else values[key] for key in self.keys}

    @cached_property
    def _rest(self) -> RecordLayout:
        """The layout without the values that a batch takes as they lie in the records."""
        batched = {field.key for field in self.fields if _is_batched(field)}
        return replace(
            self,
            keys=tuple(key for key in self.keys if key not in batched),
            fields=tuple(field for field in self.fields if field.key not in batched),
        )


def _is_batched(field: Field) -> bool:
    return field.kind is Tensor and field.size > 0


def _is_as_before(before: Mapping[str, Any], key: str, value: object) -> bool:
    if key not in before or isinstance(value, (Tensor, np.ndarray)):
        return False
    return value is before[key] or (type(value) is type(before[key]) and bool(value == before[key]))


def _array(key: str, value: object) -> np.ndarray[Any, Any]:
    """Return a value as an array; a tensor as its bytes, since NumPy does not know all types of torch."""
    if isinstance(value, Tensor):
        plain = value.detach().cpu().as_subclass(Tensor).contiguous()
        return plain.reshape(-1).view(torch.uint8).numpy()
    if isinstance(value, (np.ndarray, np.generic, bool, int, float)):
        array = np.ascontiguousarray(value) if isinstance(value, np.ndarray) else np.asarray(value)
        if array.dtype != object:
            return array
    raise _unfit(f"a {type(value).__name__} as '{key}'")


def _value(field: Field, record: Buffer) -> Any:  # noqa: ANN401 - as the transform returned it
    if field.kind is Tensor:
        count = field.size // field.dtype.itemsize
        if not count:
            return torch.empty(field.shape, dtype=field.dtype)
        return torch.frombuffer(record, dtype=field.dtype, count=count, offset=field.offset).reshape(field.shape)
    count = field.size // field.dtype.itemsize
    array = np.frombuffer(record, field.dtype, count, field.offset).reshape(field.shape)
    return array if field.kind is np.ndarray else field.kind(array[()])


def _shown(layout: RecordLayout) -> str:
    return ", ".join(f"{field.key} {field.dtype} {field.shape}" for field in layout.fields)


def _unfit(found: str) -> ConfigError:
    return ConfigError(
        f"preprocessing: the images do not fit into memory, and on disk an item can hold {_HELD}, but it has {found}. "
        "Delete it at the end of `preprocessing`, or give --subsets::memory more."
    )
