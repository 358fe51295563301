"""Bundle runs that share one import of what they need: forked from a process that has it, where the system can.

See `monai_unlearn/engine/warm.py`, which is that process.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from monai_unlearn.safe_path import PACKAGE_ROOT, module_command, safe_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# What `python -m monai.bundle run unlearn` imports of ours and of MONAI's, but for the classes that a config names.
PRELOADED = (
    "monai.bundle",
    "monai.networks.nets",
    "monai.transforms",
    "monai_unlearn.engine.revision",
    "monai_unlearn.engine.training",
    "duckdb",
)
# Elsewhere a process with libraries in use cannot be forked.
IS_POSSIBLE = sys.platform == "linux"
_LENGTH = struct.Struct("!I")
_SERVER = "monai_unlearn.engine.warm"


class WarmRun:
    """A run that was forked, as far as `subprocess.Popen` is needed of it.

    Args:
        pipe: Where the run says its number and its exit code; closed once it has ended.

    Raises:
        EOFError: No run was started.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe, self._said = pipe, b""
        self.returncode: int | None = None
        try:
            self._hear_line()
        except BaseException:  # Ctrl-C too, while the server still imports
            self._give_up()
            raise
        number, _, self._said = self._said.partition(b"\n")
        self.pid = int(number)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code; that of a killed run is −9, whatever killed it.

        Raises:
            subprocess.TimeoutExpired: It still runs after so many seconds.
        """
        while self.returncode is None:
            if not select.select([self._pipe], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(_SERVER, timeout or 0)
            if not self._hear():
                self.returncode = int(self._said) if self._said.endswith(b"\n") else -signal.SIGKILL
                os.close(self._pipe)
        return self.returncode

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _give_up(self) -> None:
        """Leave no run behind: one that has said its number is ended, a later one ends since nobody hears it."""
        if select.select([self._pipe], [], [], 0)[0]:
            self._hear()
        os.close(self._pipe)
        number, is_said, _ = self._said.partition(b"\n")
        if is_said:
            with suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGKILL)

    def _hear_line(self) -> None:
        while b"\n" not in self._said:
            if not self._hear():
                raise EOFError

    def _hear(self) -> bytes:
        part = os.read(self._pipe, 64)
        self._said += part
        return part


class WarmServer:
    """The process that forks runs, started when the first is asked for.

    Args:
        preloaded: The modules that it imports.
    """

    def __init__(self, preloaded: Sequence[str] = PRELOADED) -> None:
        self._preloaded = preloaded
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str, folder: Path, stdout: IO[str], env: Mapping[str, str]) -> WarmRun:
        """Fork a process that runs a module, as `module_command` would start one.

        Args:
            words: The module and its arguments.
            folder: A folder whose modules come before those that are installed.
            stdout: Where its two streams go.
            env: Its environment.

        Raises:
            EOFError: The server has ended, or could not import what it is to.
            OSError: The same.
        """
        request = json.dumps({"words": [str(folder), *words], "environment": dict(env)}).encode()
        heard, said = os.pipe()
        try:
            with self._lock:
                control = self._started()
                socket.send_fds(control, [_LENGTH.pack(len(request))], [stdout.fileno(), said])
                control.sendall(request)
        except OSError:
            os.close(heard)
            raise
        finally:
            os.close(said)
        return WarmRun(heard)

    def close(self) -> None:
        """End the server; runs that are under way go on."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.wait()
        self._control = self._process = None

    def _started(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair()
            command = module_command(_SERVER, str(theirs.fileno()), *self._preloaded, folder=PACKAGE_ROOT)
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - no shell; the words are ours
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    # Asking CUDA itself whether it is there would keep the runs from using it.
                    env={**safe_environment(), "PYTORCH_NVML_BASED_CUDA_CHECK": "1"},
                )
        return self._control


_server: WarmServer | None = None


@contextmanager
def warm_runs(server: WarmServer | None = None) -> Iterator[None]:
    """Fork the runs that are started within the block, where the system can, from one process that has all imports.

    Args:
        server: That process; the usual one by default.
    """
    global _server  # noqa: PLW0603 - runs are started in threads, to which no context is passed on
    if _server is not None or not IS_POSSIBLE:
        yield
        return
    _server = server or WarmServer()
    try:
        yield
    finally:
        used, _server = _server, None
        used.close()


def current() -> WarmServer | None:
    """Return the process that forks runs; None outside a block of `warm_runs`."""
    return _server
