"""The image index: one row an image, read from DICOM, NIfTI and plain images, tables and measures."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monai_unlearn.index.faults import Fault, usable_faults
    from monai_unlearn.index.store import Index
    from monai_unlearn.index.write import write_index

__all__ = ["Fault", "Index", "usable_faults", "write_index"]

_HOMES = {"Fault": "faults", "Index": "store", "usable_faults": "faults", "write_index": "write"}


def __getattr__(name: str) -> object:
    # Units are wanted where a spec is checked, and pandas is not: what it takes is loaded when it is named (PEP 562).
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
