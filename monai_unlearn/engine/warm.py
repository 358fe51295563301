"""A process that has imported what bundle runs need, and forks one for each run that it is asked for.

    python -m monai_unlearn.engine.warm FD [MODULE…]

A run of a small cohort computes for two seconds, and importing what it needs takes five. Asked by
`monai_unlearn/experiments/warm_runs.py` through the socket FD, which sends for each run its words, its environment, the
stream that it prints to and a pipe. Through the pipe the run says its number and, at its end, its exit code.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import socket
import struct
import sys
import warnings
from contextlib import suppress
from typing import Any, NoReturn

from monai_unlearn.safe_path import RUN_MODULE
from monai_unlearn.terminal import say

LENGTH = struct.Struct("!I")
HANDLES = 2


def main(words: list[str]) -> None:
    """Serve until whoever asks is gone.

    Args:
        words: The number of the socket, and the modules to import beforehand.
    """
    with socket.socket(fileno=int(words[0])) as control:
        for name in words[1:]:
            importlib.import_module(name)
        # Ctrl-C in a terminal reaches this process too: the runs end by it, and whoever asks then goes.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for a run
        while True:
            head, handles, _, _ = socket.recv_fds(control, LENGTH.size, HANDLES)
            if not head:
                return
            request = json.loads(_exactly(control, *LENGTH.unpack(head)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of threads that libraries keep, which know about forks
                is_run = os.fork() == 0
            if is_run:
                control.close()
                _run(request, *handles)
            for handle in handles:
                os.close(handle)


def _exactly(control: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = control.recv(length - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def _run(request: dict[str, Any], stream: int, pipe: int) -> NoReturn:
    """Be the process of one run."""
    os.set_inheritable(pipe, False)  # noqa: FBT003 - the standard library's signature
    try:
        os.write(pipe, f"{os.getpid()}\n".encode())
    except BrokenPipeError:  # who asked was interrupted: nobody would end it, nor read what it writes
        os._exit(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for standard in (1, 2):
        os.dup2(stream, standard)
    os.close(stream)
    code = 1
    try:
        code = _code(request)
        atexit._run_exitfuncs()  # noqa: SLF001 - a forked process has no other way to them
    finally:
        for printed in (sys.stdout, sys.stderr):
            printed.flush()
        with suppress(BrokenPipeError):
            os.write(pipe, f"{code}\n".encode())
        os._exit(code)


def _code(request: dict[str, Any]) -> int:
    """Run the module, and return the exit code that its own process would have."""
    try:
        try:
            _run_module(request)
        except SystemExit:
            raise
        except BaseException:  # noqa: BLE001 - what is printed of it is the hook's business
            sys.excepthook(*sys.exc_info())
            return 1
    except SystemExit as end:
        if isinstance(end.code, int):
            return end.code
        if end.code is not None:
            say(str(end.code), err=True)
        return int(end.code is not None)
    return 0


def _run_module(request: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(request["environment"])
    # Read when torch was imported, which was before.
    threads = request["environment"].get("OMP_NUM_THREADS", "")
    if "torch" in sys.modules and threads.isdecimal():
        sys.modules["torch"].set_num_threads(int(threads))
    sys.argv = ["-c", *request["words"]]
    exec(RUN_MODULE, {"__name__": "__main__"})  # noqa: S102 - as in a process of its own: what `-c` is given there


if __name__ == "__main__":
    main(sys.argv[1:])
