"""Records what code does outside its own process: an audit hook that a test switches on.

It records what Python itself opens, lists, starts and connects to, but nothing that a library does in C++: what DuckDB
may read is tested with its locked connection, in tests/cohort/query.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import monai_unlearn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Python's own files and those of installed packages, which late imports open.
LIBRARY = tuple(
    {
        os.path.realpath(path)
        for path in (sys.prefix, *sysconfig.get_paths().values(), Path(monai_unlearn.__file__).parent, *sys.path)
        if path and not Path.cwd().is_relative_to(path)
    }
)
# Folders that the import system lists.
LISTED = (*LIBRARY, *(os.path.realpath(folder) for folder in sys.path))

_NEVER = (
    *(
        "socket.",
        "subprocess.",
        "shutil.",
        "sqlite3.",
        "tempfile.",
        "webbrowser.",
        "pty.",
        "urllib.",
        "http.",
        "ftplib.",
    ),
    *("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill"),
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
    *("pickle.find_class", "ctypes.dlopen", "code.__new__", "builtins.input"),
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_watching: list[_Record] = []


class _Record:
    def __init__(self, allowed: Iterable[Path]) -> None:
        self.allowed = tuple(os.path.realpath(path) for path in allowed)
        self.strays: list[str] = []

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, int) and not self._may_open(os.fsdecode(path), flags or 0):
                self.strays.append(f"open {path!r}")
        elif event in {"os.listdir", "os.scandir", "glob.glob"}:
            path = arguments[0]
            if isinstance(path, int) or not _within(os.path.realpath(path or "."), LISTED):
                self.strays.append(f"{event} {path!r}")
        elif event.startswith(_NEVER):
            self.strays.append(f"{event} {arguments!r}")

    def _may_open(self, path: str, flags: int) -> bool:
        real = os.path.realpath(path)
        return not flags & _WRITES and (real in self.allowed or _within(real, LIBRARY))


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}{os.sep}") for folder in folders)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching:
        record = _watching.pop()  # what the hook itself does is not recorded
        try:
            record.note(event, arguments)
        finally:
            _watching.append(record)


sys.addaudithook(_hook)


@contextmanager
def watched(allowed: Iterable[Path]) -> Iterator[list[str]]:
    """Collect, as texts, every action but reading these files and those of the library."""
    record = _Record(allowed)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _watching.append(record)
    try:
        yield record.strays
    finally:
        _watching.clear()
        sys.dont_write_bytecode = bytecode
