"""The digest of weights from their file, without torch and without unpickling.

`torch.save` writes a zip archive: `data.pkl` describes the tensors, `data/N` hold their values. The description is a
pickle, whose few opcodes are read here as data (`pickletools`): nothing is imported, called or built but dictionaries,
tuples and descriptions of tensors. Anything else in it is refused.
"""

from __future__ import annotations

import hashlib
import pickletools
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.state_layout import DEPTH, KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_MARK = object()
_PUSHED = frozenset(
    ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT")
)
_CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "NONE": lambda: None,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "MARK": lambda: _MARK,
}
# The name of each storage class, as `str(dtype)` and in bytes.
_TYPES = {
    "FloatStorage": ("torch.float32", 4),
    "DoubleStorage": ("torch.float64", 8),
    "HalfStorage": ("torch.float16", 2),
    "BFloat16Storage": ("torch.bfloat16", 2),
    "LongStorage": ("torch.int64", 8),
    "IntStorage": ("torch.int32", 4),
    "ShortStorage": ("torch.int16", 2),
    "CharStorage": ("torch.int8", 1),
    "ByteStorage": ("torch.uint8", 1),
    "BoolStorage": ("torch.bool", 1),
    "ComplexFloatStorage": ("torch.complex64", 8),
    "ComplexDoubleStorage": ("torch.complex128", 16),
}


@dataclass(frozen=True)
class _Tensor:
    """A tensor as `data.pkl` describes it."""

    dtype: str
    itemsize: int
    key: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def content(self, archive: zipfile.ZipFile, root: str) -> bytes:
        """Return the values in the order of a contiguous tensor."""
        stored = np.frombuffer(archive.read(f"{root}data/{self.key}"), dtype=f"V{self.itemsize}")
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))
        if 0 in self.shape:
            return b""
        if min((self.offset, last, *self.stride)) < 0 or last >= len(stored):
            raise ValueError("a tensor lies outside its storage")
        strides = tuple(step * self.itemsize for step in self.stride)
        return as_strided(stored[self.offset :], self.shape, strides).tobytes()


def file_weights_digest(path: Path) -> str:
    """Return what `weights_digest` says of the weights in a file.

    Args:
        path: A file that `torch.save` wrote of a state dict, alone or under a key; see `state_layout`.

    Returns:
        `sha256:…` over names, types, shapes and values.

    Raises:
        ConfigError: The file cannot be read, or holds something else than a state dict of tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _digest(archive)
    # zipfile raises many errors on damaged archives, NotImplementedError and struct.error among them.
    except Exception as error:
        raise ConfigError(f"{path} cannot be read as a state dict of tensors ({type(error).__name__}).") from error


def _digest(archive: zipfile.ZipFile) -> str:
    names = [name.casefold() for name in archive.namelist()]
    if len(set(names)) < len(names):
        # torch takes the first of two entries of a name, zipfile the last.
        raise ValueError("a name stands for two entries")
    (description,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
    root = description.removesuffix("data.pkl")
    if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
        raise ValueError("its bytes are in another order")
    digest = hashlib.sha256()
    for name, tensor in sorted(_tensors(archive.read(description)).items()):
        digest.update(f"{name}|{tensor.dtype}|{tensor.shape}|".encode())
        digest.update(tensor.content(archive, root))
    return f"sha256:{digest.hexdigest()}"


def _tensors(description: bytes) -> dict[str, _Tensor]:
    """Return the tensors of a state dict by name."""
    found = _Reader().read(description)
    # As weights stand in the file of a bundle whose loader looks for them under a key.
    for _ in range(DEPTH):  # and not for ever: a dictionary may hold itself
        if isinstance(found, dict) and len(found) == 1 and isinstance(inner := next(iter(found.values())), dict):
            found = inner if next(iter(found)) in KEYS else found
    if not isinstance(found, dict) or not all(isinstance(one, _Tensor) for one in found.values()):
        raise ValueError("expected a dictionary of tensors")
    return {str(name): tensor for name, tensor in found.items()}


class _Reader:
    """Reads the opcodes of a description."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[object, Any] = {}

    def read(self, description: bytes) -> object:
        for opcode, argument, _ in pickletools.genops(description):
            name = opcode.name
            if name in _PUSHED:
                self.stack.append(argument)
            elif name in _CONSTANTS:
                self.stack.append(_CONSTANTS[name]())
            elif name == "GLOBAL":
                self.stack.append(str(argument))
            elif name in ("BINPUT", "LONG_BINPUT"):
                self.memo[argument] = self.stack[-1]
            elif name in ("BINGET", "LONG_BINGET"):
                self.stack.append(self.memo[argument])
            elif name not in ("PROTO", "STOP"):
                self._combine(name)
        return self.stack.pop()

    def _combine(self, name: str) -> None:
        """Take values from the stack, and put what they make in their place."""
        stack = self.stack
        if name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            size = int(name[-1])
            stack[-size:] = [tuple(stack[-size:])]
        elif name == "TUPLE":
            stack.append(tuple(self._since_mark()))
        elif name in ("SETITEM", "SETITEMS"):
            pairs = list(self._since_mark()) if name == "SETITEMS" else [stack.pop(-2), stack.pop()]
            stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))
        elif name == "BINPERSID":
            stack.append(_storage(stack.pop()))
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(_built(stack.pop(), arguments))
        elif name == "BUILD":
            stack.pop()  # `_metadata` of a state dict, which no digest covers
        else:
            raise ValueError(f"{name} has no place in a state dict")

    def _since_mark(self) -> Iterator[Any]:
        place = len(self.stack) - 1 - self.stack[::-1].index(_MARK)
        values = self.stack[place + 1 :]
        del self.stack[place:]
        return iter(values)


def _storage(identifier: tuple[Any, ...]) -> tuple[str, int, str]:
    kind, storage, key, _, _ = identifier
    module, _, name = storage.partition(" ")
    if kind != "storage" or module != "torch" or not key.isalnum():
        raise ValueError("expected a storage")
    return (*_TYPES[name], key)


def _built(function: str, arguments: tuple[Any, ...]) -> object:
    if function == "collections OrderedDict" and not arguments:
        return {}
    if function == "torch._utils _rebuild_parameter":
        return arguments[0]
    if function == "torch._utils _rebuild_tensor_v2":
        (dtype, itemsize, key), offset, shape, stride = arguments[:4]
        return _Tensor(dtype, itemsize, key, offset, shape, stride)
    raise ValueError("expected tensors")
