"""The cohort language: a spec in YAML, resolved on an index into three parts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from monai_unlearn.cohort.parse import parse

if TYPE_CHECKING:
    from monai_unlearn.cohort.cohort import Cohort
    from monai_unlearn.cohort.manifest import write_manifest
    from monai_unlearn.cohort.predicate import Predicate
    from monai_unlearn.cohort.spec import CohortSpec
    from monai_unlearn.cohort.split import Split, SplitRule

__all__ = ["Cohort", "CohortSpec", "Predicate", "Split", "SplitRule", "parse", "write_manifest"]

_HOMES = {
    "Cohort": "cohort",
    "CohortSpec": "spec",
    "Predicate": "predicate",
    "Split": "split",
    "SplitRule": "split",
    "write_manifest": "manifest",
}


def __getattr__(name: str) -> object:
    # A spec is checked without the libraries that resolve it: they are loaded when they are named (PEP 562).
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
