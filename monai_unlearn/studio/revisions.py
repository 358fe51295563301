"""The revisions in the studio's folder: start one, see how far it is, cancel it, resume it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import InputError
from monai_unlearn.locks import locked
from monai_unlearn.safe_path import module_command, safe_environment
from monai_unlearn.staging import write_json, write_text
from monai_unlearn.studio.confined import inside
from monai_unlearn.studio.job import BUSY, DONE, JOB, LOG, PROCESS, STOPPING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MODULE, _RUN = b"monai_unlearn.studio.job", b"monai"
_PROC = Path("/proc")
_children: list[subprocess.Popen[bytes]] = []
_STARTING = ".starting"
_SECONDS_TO_START, _SECONDS_BETWEEN = 60, 0.05
_TAIL = 64 * 1024
"""Bytes of a log that a page shows."""


class State(str, Enum):
    """How far a revision is."""

    RUNNING = "running"
    STOPPING = "stopping"
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not accepted"
    REFUSED = "refused its input"
    STOPPED = "stopped"
    KILLED = "killed"
    FAILED = "failed"


ALIVE = frozenset({State.RUNNING, State.STOPPING})
_ENDED = {0: State.ACCEPTED, 3: State.NOT_ACCEPTED, 2: State.REFUSED, 130: State.STOPPED}


@dataclass(frozen=True)
class Revisions:
    """The revisions in a folder.

    Attributes:
        folder: The folder; each has one of its own within it.
    """

    folder: Path

    def names(self) -> list[str]:
        """Return their names, the newest first."""
        found = [path.parent for path in self.folder.glob(f"*/{JOB}")]
        return [path.name for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]

    def is_busy(self) -> bool:
        """Return whether one runs."""
        return any(_is_alive(path) for path in self.folder.glob(f"*/{PROCESS}"))

    def start(self, name: str, job: Mapping[str, str], *, files: Mapping[str, str] = MappingProxyType({})) -> None:
        """Start a revision.

        Args:
            name: Its name.
            job: What to run; see `job.command_of`.
            files: Texts that belong to it, by file name; the job names each by the stem of that.

        Raises:
            InputError: One runs already, or there is one of this name.
        """
        folder = inside(self.folder, name)
        with self._starting():
            if folder.exists():
                raise InputError(f"there is a revision '{name}' already: resume it, or choose another name.")
            folder.mkdir(parents=True)
            named = {Path(file).stem: str((folder / file).resolve()) for file in files}
            for file, text in files.items():
                write_text(folder / file, text)
            write_json(folder / JOB, {**job, **named})
            _start(folder)

    def resume(self, name: str) -> None:
        """Go on with a revision that was stopped: from its last checkpoint, or anew where there is none.

        Raises:
            InputError: One runs, there is none of this name, or it is finished.
        """
        with self._starting():
            if self.state(name) in {State.ACCEPTED, State.NOT_ACCEPTED}:
                raise InputError(f"the revision '{name}' is finished: look at its evidence.")
            _start(self._of(name))

    def cancel(self, name: str) -> None:
        """Stop a revision as Ctrl-C does: it leaves nothing half written.

        Raises:
            InputError: It does not run, or stops already: a second Ctrl-C would not let it write its checkpoint.
        """
        folder = self._of(name)
        if self.state(name) not in ALIVE:
            raise InputError(f"the revision '{name}' does not run.")
        try:
            (folder / STOPPING).touch(exist_ok=False)
        except FileExistsError:
            raise InputError(f"the revision '{name}' stops already: it writes its checkpoint.") from None
        # It leads a group of its own; by now it may have ended.
        with suppress(ProcessLookupError, FileNotFoundError):
            os.killpg(int(_read(folder / PROCESS)["pid"]), signal.SIGINT)

    def state(self, name: str) -> State:
        """Return how far a revision is.

        Raises:
            InputError: There is none of this name.
        """
        folder = self._of(name)
        if (folder / DONE).is_file():
            code = int(_read(folder / DONE)["exit_code"])
            return _ENDED.get(code, State.KILLED if code < 0 else State.FAILED)
        if not _is_alive(folder / PROCESS):
            # It did not come to say how it ended; a second cancel may have come before it listened.
            return State.STOPPED if (folder / STOPPING).exists() else State.KILLED
        return State.STOPPING if (folder / STOPPING).exists() else State.RUNNING

    def who(self, name: str) -> str:
        """Return who asked for a revision; empty where nobody was named.

        Raises:
            InputError: There is none of this name.
        """
        return str(_read(self._of(name) / JOB).get("who") or "")

    def log(self, name: str) -> str:
        """Return the end of what a revision printed.

        Raises:
            InputError: There is none of this name.
        """
        path = self._of(name) / LOG
        if not path.is_file():
            return ""
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _TAIL))
            return stream.read().decode("utf-8", "replace")

    def _of(self, name: str) -> Path:
        folder = inside(self.folder, name)
        if not (folder / JOB).is_file():
            raise InputError("there is no such revision here. Nothing was changed.")
        return folder

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Look and start as one step: two tabs may ask at once.

        Raises:
            InputError: One runs, or starts.
        """
        with locked(self.folder / _STARTING, refusal=InputError(BUSY)):
            if self.is_busy():
                raise InputError(BUSY)
            yield


def who_revised(runs: Path, bundle: Path) -> str:
    """Return who asked for the revision that wrote a bundle; empty where that is not known.

    Args:
        runs: The folder of the revisions.
        bundle: The bundle.
    """
    folder = bundle.parent.parent
    is_here = folder.parent.resolve() == runs.resolve() and (folder / JOB).is_file()
    return Revisions(runs).who(folder.name) if is_here else ""


def _start(folder: Path) -> None:
    """Start the process in a session of its own, and wait until it is known: it goes on when the studio ends.

    Raises:
        InputError: Another studio's revision runs.
    """
    for name in (STOPPING, PROCESS, DONE):
        (folder / name).unlink(missing_ok=True)
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - no shell; the words are those of our own module
            module_command(_MODULE.decode(), str(folder.resolve()), folder=folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=safe_environment(),
            start_new_session=True,
        )
    _children.append(process)
    deadline = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and not (folder / PROCESS).exists() and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN)
    if process.poll() is not None and not (folder / DONE).exists():
        raise InputError(f"the revision '{folder.name}' did not start: see the end of what it prints.")


def _is_alive(path: Path) -> bool:
    """Whether the process that a file names still runs, and is one of ours: numbers are used again."""
    for child in _children:
        child.poll()  # one that ended is not kept as a shadow of itself
    try:
        pid = int(_read(path)["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return _is_group_alive(pid)
    return not _PROC.joinpath("self").exists() or _MODULE in _command(pid)


def _is_group_alive(pid: int) -> bool:
    """Whether the run goes on whose process that waits for it was killed: it is in the same group."""
    try:
        os.killpg(pid, 0)
    except (OSError, AttributeError):
        return False
    return any(_RUN in _command(other) for other in _group(pid))


def _group(leader: int) -> Iterator[int]:
    """Yield the processes of a group, on Linux."""
    for path in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # The name of the program may hold spaces and brackets; the group is the third field behind it.
            if int(path.read_text().rpartition(")")[2].split()[2]) == leader:
                yield int(path.parent.name)


def _command(pid: int) -> bytes:
    try:
        return _PROC.joinpath(str(pid), "cmdline").read_bytes()
    except OSError:
        return b""


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
