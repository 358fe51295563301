"""Commands and worker processes that need no data frames do not load pandas.

pyarrow imports pandas when it makes its first array from a list, to recognise a Series; that takes as long as all else
that a small command does. It asks once: where pandas seems not installed then, pyarrow imports it as soon as a data
frame is asked for (`Table.to_pandas`), and from then on recognises a Series again.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def keep_pandas_out() -> None:
    """Let pyarrow make arrays without pandas in this process; do nothing where pandas is loaded already.

    Only for a process of our own: until a data frame is asked for, `pyarrow.array` takes a Series for a list.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    finder = _NotInstalled()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)


class _NotInstalled(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)
        return None
