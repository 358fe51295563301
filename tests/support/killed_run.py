"""Runs `unlearn` in separate processes, which kill themselves at the point that a test names."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from bundle_run import BUNDLE
from bundle_run import unlearn as bundle_unlearn

from monai_unlearn.engine import revision_run, trainer, updating
from monai_unlearn.engine.checkpoint import Checkpoints
from monai_unlearn.engine.host import ours
from monai_unlearn.methods import boundary, label_search

# The server imports torch and MONAI once. Each run is a fork of it, without the threads that a test process may have.
# Before Python 3.13, it cannot import what pytest puts on the path, such as this module.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["monai.bundle", "monai_unlearn.engine", "monai_unlearn.methods", "duckdb"])
CONFIGS = [str(BUNDLE / "configs" / f"{name}.yaml") for name in ("unlearn", "multi_gpu")]
# Names of points, and the function whose n-th call kills the process.
POINTS = {
    "search": (boundary.BoundarySearch, "find"),
    "step": (trainer.UnlearnTrainer, "_iteration"),
    "checkpoint": (updating, "save_weights"),
    "end": (revision_run, "assemble"),
}


def unlearn(settings: dict[str, Any], *, die: tuple[str, int] | None = None, processes: int = 1) -> list[int]:
    """Run `unlearn` in one or several processes and return their exit codes, −9 for a killed one, 0 for any verdict.

    Args:
        settings: Overrides of the config.
        die: The point and the number of the call at which the last process is killed, if any.
        processes: How many share the run.
    """
    port = _free_port()
    started = []
    for rank in range(processes):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "MASTER_ADDR": "localhost"}
        environment = {**place, "MASTER_PORT": port} if processes > 1 else {}
        fatal = die if rank == processes - 1 else None
        process = _CONTEXT.Process(target=_unlearn, args=(settings, fatal, environment))
        process.start()
        started.append(process)
    for process in started:
        process.join(120)
        if process.is_alive():
            process.kill()
            raise TimeoutError("the run hangs")
    return [process.exitcode for process in started]


def digest(output: Path) -> str:
    """Return the digest of the revised weights of a run."""
    return json.loads((output / "evidence" / "run.json").read_text())["digests"]["revised_weights"]


def log_of(settings: dict[str, Any]) -> str:
    """Return what the processes of a run printed, on both streams."""
    return Path(settings["output_dir"] + ".log").read_text(encoding="utf-8")


def _unlearn(settings: dict[str, Any], die: tuple[str, int] | None, environment: dict[str, Any]) -> None:
    os.environ.update({name: str(value) for name, value in environment.items()})
    # Worker processes of the data loader start as in a run outside a fork server.
    multiprocessing.set_start_method("fork", force=True)
    label_search.CHUNK_SIZE = 4
    if die is not None:
        _arm(*die)
    with ExitStack() as stack:
        stream = stack.enter_context(Path(settings["output_dir"] + ".log").open("a", encoding="utf-8"))
        stack.enter_context(redirect_stdout(stream))
        stack.enter_context(redirect_stderr(stream))
        try:
            bundle_unlearn(config_file=CONFIGS if environment else CONFIGS[0], **settings)
        except Exception as error:
            found = ours(error)
            stream.write(f"{found or repr(error)}\n")
            stream.flush()
            sys.exit(int(found.exit_code) if found else 1)


def _arm(point: str, number: int) -> None:
    """Kill this process at the n-th call of a point."""
    if point == "reference":
        save = Checkpoints.save

        def save_and_die(self, name, write):
            save(self, name, write)
            if name.startswith("reference-"):
                os.kill(os.getpid(), signal.SIGKILL)

        Checkpoints.save = save_and_die
        return
    owner, name = POINTS[point]
    original, calls = getattr(owner, name), []

    def fatal(*arguments, **options):
        calls.append(1)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)

    setattr(owner, name, fatal)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return int(listener.getsockname()[1])
