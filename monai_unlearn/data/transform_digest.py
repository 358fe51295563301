"""A digest of what a transform or a network does, so that what one made is taken for another that does the same."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from enum import Enum
from functools import singledispatch
from pathlib import PurePath
from types import FunctionType, NoneType
from typing import Any

import numpy as np
import torch
from torch import nn

_PLAIN = (bool, int, float, complex, str, bytes, NoneType, torch.dtype, torch.device, np.dtype, np.generic, PurePath)
_DEEPEST = 30
# Hooks that a forward pass calls, by numbers that tell nothing: whoever registers a hook is given the next one.
_CALLED = ("_forward_hooks", "_forward_pre_hooks")


class _UnknownError(Exception):
    """A value has no description by which another is known to be the same."""


def transform_digest(transform: object) -> str | None:
    """Return a digest of a transform's class and settings at any depth; None where they do not say what it does.

    Args:
        transform: Deterministic preprocessing, such as MONAI's `Compose`, or a network, with its weights. A lambda, or
            a function within another, has no digest: its name does not say what it does.
    """
    try:
        return hashlib.sha256(repr(_described(transform, 0)).encode()).hexdigest()
    except _UnknownError:
        return None


@singledispatch
def _described(value: Any, depth: int) -> Any:  # noqa: ANN401 - any setting of any transform
    """Return plain values that are equal for two values only if they do the same."""
    if isinstance(value, _PLAIN):
        return type(value).__name__, repr(value)
    if depth > _DEEPEST or not _tells_all(type(value)):
        raise _UnknownError
    # MONAI's transforms keep in a thread what they are doing just now.
    settings = {name: one for name, one in vars(value).items() if not isinstance(one, threading.local)}
    return _name(type(value)), _described(settings, depth + 1)


@_described.register
def _module(value: nn.Module, depth: int) -> Any:  # noqa: ANN401 - as above
    """Return what decides a module's output: all but the hooks of gradients and of state dicts."""
    if depth > _DEEPEST or isinstance(value, torch.jit.ScriptModule):
        raise _UnknownError
    settings = {
        name: list(one.values()) if name in _CALLED else one
        for name, one in vars(value).items()
        if name in _CALLED or "hook" not in name
    }
    return _name(type(value)), _described(settings, depth + 1)


@_described.register
def _enum(value: Enum, _depth: int) -> Any:  # noqa: ANN401 - as above
    return _name(type(value)), value.name


@_described.register(np.random.RandomState)
@_described.register(np.random.Generator)
@_described.register(torch.Generator)
def _generator(_value: object, _depth: int) -> Any:  # noqa: ANN401 - as above
    return "generator"  # preprocessing is deterministic: what it would draw has no part in it


@_described.register
def _tensor(value: torch.Tensor, depth: int) -> Any:  # noqa: ANN401 - as above
    elements = value.detach().cpu().as_subclass(torch.Tensor).contiguous().reshape(-1)
    return str(value.dtype), tuple(value.shape), _ndarray(elements.view(torch.uint8).numpy(), depth)


@_described.register
def _ndarray(value: np.ndarray, _depth: int) -> Any:  # noqa: ANN401 - as above
    return str(value.dtype), value.shape, hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()


@_described.register
def _mapping(value: Mapping, depth: int) -> Any:  # type: ignore[type-arg]  # noqa: ANN401 - as above
    pairs = [(_described(key, depth + 1), _described(one, depth + 1)) for key, one in value.items()]
    return _name(type(value)), pairs


@_described.register(list)
@_described.register(tuple)
def _sequence(value: Any, depth: int) -> Any:  # noqa: ANN401 - as above
    return _name(type(value)), [_described(one, depth + 1) for one in value]


@_described.register(set)
@_described.register(frozenset)
def _set(value: Any, depth: int) -> Any:  # noqa: ANN401 - as above
    return _name(type(value)), sorted(repr(_described(one, depth + 1)) for one in value)


@_described.register(type)
@_described.register(FunctionType)
def _named(value: Any, _depth: int) -> Any:  # noqa: ANN401 - as above
    return _name(value)


def _tells_all(kind: type) -> bool:
    """Return whether `vars` of an object is all that it holds: not where C code or slots hold more."""
    has_slots = any(vars(base).get("__slots__") for base in kind.__mro__)
    reduces_itself = getattr(kind, "__reduce__", None) is not getattr(object, "__reduce__", None)
    return kind.__dictoffset__ != 0 and not has_slots and not reduces_itself


def _name(value: type | FunctionType) -> str:
    name = f"{value.__module__}.{value.__qualname__}"
    if "<" in name:  # <lambda>, <locals>
        raise _UnknownError
    return name
