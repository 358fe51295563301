"""Starting Python processes that execute no module of the current folder.

Python puts the current folder first on the path of a process that it starts by `-c` or `-m`, as multiprocessing does. A
file `types.py` that lies there would then run in place of the standard library's, with the rights of the user.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from multiprocessing import spawn, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Python 3.11 and later keep the current folder off the path where this is set.
_VARIABLE = "PYTHONSAFEPATH"
_KNOWS_VARIABLE = sys.version_info >= (3, 11)
_MAIN_KEYS = frozenset({"init_main_from_name", "init_main_from_path"})  # see multiprocessing.spawn.prepare
PACKAGE_ROOT = Path(__file__).parent.parent
# Takes a folder and the name of a module, which it runs as `python -m` does, but with that folder on the path: after
# the standard library, and before everything that is installed or that PYTHONPATH names.
RUN_MODULE = """
import sys
sys.path[:] = filter(None, sys.path)
import sysconfig
library = sysconfig.get_path("stdlib")
own = [one for one in sys.path if one.startswith(library) and not one.endswith("-packages")]
sys.path[:] = [*own, sys.argv.pop(1), *(one for one in sys.path if one not in own)]
import runpy
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


@contextmanager
def safe_start(*, keep_path: bool = False) -> Iterator[None]:
    """Keep the current folder off the path of processes that multiprocessing starts within the block.

    It stays the last on their path where this package or the program's own script lies in it: they could not be
    imported otherwise. Nor do the processes import the program's script: they need nothing of it, and one without
    `if __name__ == "__main__"` would start them again in each.

    Args:
        keep_path: Start with a safe path, but then use this process's path, and import its script. Processes that
            unpickle objects of the user need both, since their classes may lie in the current folder or the script.
    """
    path, environment, flags = sys.path[:], os.environ.get(_VARIABLE), util._args_from_interpreter_flags  # type: ignore[attr-defined]  # noqa: SLF001 - multiprocessing has no other way
    preparation = spawn.get_preparation_data
    os.environ[_VARIABLE] = "1"
    if not _KNOWS_VARIABLE:
        util._args_from_interpreter_flags = lambda: ["-I", *flags()]  # type: ignore[attr-defined]  # noqa: SLF001
    if not keep_path:
        sys.path[:] = without_current_folder(path)
        spawn.get_preparation_data = lambda name: _without_main(preparation(name))
    try:
        yield
    finally:
        sys.path[:] = path
        util._args_from_interpreter_flags = flags  # type: ignore[attr-defined]  # noqa: SLF001
        spawn.get_preparation_data = preparation
        if environment is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = environment


def _without_main(preparation: dict[str, Any]) -> dict[str, Any]:
    """Return what multiprocessing tells a new process, without the script that the process would import."""
    return {key: value for key, value in preparation.items() if key not in _MAIN_KEYS}


def without_current_folder(path: Sequence[str]) -> list[str]:
    """Return a module path without the current folder, or with it at the end if this program lies in it."""
    try:
        here = Path.cwd().resolve()
    except FileNotFoundError:
        return [entry for entry in path if entry]
    kept = [entry for entry in path if entry and Path(entry).resolve() != here]
    script = getattr(sys.modules["__main__"], "__file__", None)
    needed = {PACKAGE_ROOT.resolve(), *([Path(script).resolve().parent] if script else [])}
    return [*kept, str(here)] if here in needed and len(kept) < len(path) else kept


def module_command(module: str, *words: str, folder: Path) -> list[str]:
    """Return the command line that runs a module as `python -m MODULE WORD…` does, on a safe path.

    Args:
        module: The module's name.
        words: Its arguments.
        folder: A folder whose modules come before those that are installed, and after the standard library.
    """
    return [sys.executable, "-c", RUN_MODULE, str(folder), module, *words]


def module_words(command: Sequence[str]) -> list[str]:
    """Return the folder, the module and its arguments of what `module_command` returned.

    >>> module_words(module_command("json.tool", "a.json", folder=Path("bundle")))
    ['bundle', 'json.tool', 'a.json']
    """
    return list(command[3:])


def safe_environment() -> dict[str, str]:
    """Return the environment of a process that is to start processes on safe paths itself."""
    return {**os.environ, _VARIABLE: "1"}
