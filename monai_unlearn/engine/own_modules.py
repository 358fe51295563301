"""The Python code that a bundle brings, such as a package `scripts`, as modules of one run alone.

Bundles call such packages alike. What one of them imported would stay in the program, and the next bundle would run
with the code of the first.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@contextmanager
def own_modules(root: Path) -> Iterator[None]:
    """Let a bundle's own modules be imported within the block, and drop them afterwards.

    Modules of the program that are called as the bundle's are set aside for the block; those that it imported from the
    bundle itself stay. The module path is as before afterwards.

    Args:
        root: The bundle's folder.
    """
    path = sys.path[:]
    named = _names(root)
    names = {name for name in named if name not in sys.modules or not _is_in(root, sys.modules[name])}
    aside = _taken(names)
    # First, so that the program's own folder does not come before it, in which there may be a package of the same name.
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = path
        _taken(names)
        sys.modules.update(aside)


def _names(root: Path) -> set[str]:
    """Return the names of the modules and packages in a folder, but those of Python's own, which all others use."""
    packages = {file.parent.name for file in root.glob("*/*.py")}
    names = packages | {file.stem for file in root.glob("*.py")}
    return {name for name in names if name.isidentifier()} - sys.stdlib_module_names


def _is_in(root: Path, module: ModuleType) -> bool:
    places = [*getattr(module, "__path__", ()), getattr(module, "__file__", None)]
    return any(place is not None and Path(place).resolve().is_relative_to(root) for place in places)


def _taken(names: set[str]) -> dict[str, ModuleType]:
    """Take modules with these names, and what is within them, out of those that are imported; return them."""
    found = [name for name in sys.modules if name.partition(".")[0] in names]
    return {name: sys.modules.pop(name) for name in found}
