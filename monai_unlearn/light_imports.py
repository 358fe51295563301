"""Arrow and pydicom for commands and worker processes, without what they load and do not need.

pyarrow imports pandas when it makes its first array from a list, to recognise a Series; that takes as long as all else
that a small command does. It asks once: where pandas seems not installed then, pyarrow imports it as soon as a data
frame is asked for (`Table.to_pandas`), and from then on recognises a Series again.

pyarrow's own allocator is made for processes that live long and have many threads. A command that reads the columns of
a million rows once spends more time in it than in reading them.

pydicom imports requests, and what that needs, to download the files of its own tests; without it, it would use urllib.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def light_arrow() -> None:
    """Let pyarrow make arrays without pandas in this process, if pandas is not loaded, in the system's memory.

    Only for a process of our own: until a data frame is asked for, `pyarrow.array` takes a Series for a list.
    """
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    if "pandas" not in sys.modules:
        with _without("pandas"):
            pa.array([0])


def light_pydicom() -> None:
    """Let pydicom be imported without requests. Only for a process of our own."""
    with _without("requests"):
        import pydicom  # noqa: F401 - for its effect


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Let a package seem not installed within the block."""
    finder = _NotInstalled(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _NotInstalled(MetaPathFinder):
    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname == self._name:
            raise ModuleNotFoundError(fullname)
        return None
