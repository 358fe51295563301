"""Runs `unlearn` in processes of their own, which kill themselves where a test says."""

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

from bundle_run import BUNDLE, run

from monai_unlearn.engine import revision as workflow
from monai_unlearn.engine import trainer, updating
from monai_unlearn.engine.checkpoint import Checkpoints
from monai_unlearn.engine.host import ours
from monai_unlearn.methods import boundary, label_search

# Imports torch and MONAI once; each run is then a fork of it, without the threads that a test process may have.
# Before Python 3.13 it cannot import what pytest puts on the path, such as this module.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["monai.bundle", "monai_unlearn.engine", "monai_unlearn.methods", "duckdb"])
CONFIGS = [str(BUNDLE / "configs" / f"{name}.yaml") for name in ("unlearn", "multi_gpu")]
# What a point is called, and the function whose n-th call is fatal.
POINTS = {
    "search": (boundary.BoundarySearch, "find"),
    "step": (trainer.UnlearnTrainer, "_iteration"),
    "checkpoint": (updating, "save_weights"),
    "end": (workflow, "assemble"),
}


def unlearn(settings: dict[str, Any], *, die: tuple[str, int] | None = None, processes: int = 1) -> list[int]:
    """Run `unlearn` in one or several processes and return their exit codes; a killed one has −9.

    Args:
        settings: Overrides of the config.
        die: Point and number of the call at which the last process is killed, if any.
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
    return json.loads((output / "run.json").read_text())["digests"]["revised_weights"]


def said(settings: dict[str, Any]) -> str:
    """Return what the run's processes said on both streams."""
    return Path(settings["output_dir"] + ".said").read_text(encoding="utf-8")


def _unlearn(settings: dict[str, Any], die: tuple[str, int] | None, environment: dict[str, Any]) -> None:
    os.environ.update({name: str(value) for name, value in environment.items()})
    # Processes that read pictures are started as in a run that nobody's fork server started.
    multiprocessing.set_start_method("fork", force=True)
    label_search.CHUNK_SIZE = 4
    if die is not None:
        _arm(*die)
    with ExitStack() as stack:
        stream = stack.enter_context(Path(settings["output_dir"] + ".said").open("a", encoding="utf-8"))
        stack.enter_context(redirect_stdout(stream))
        stack.enter_context(redirect_stderr(stream))
        try:
            run("unlearn", "unlearn.yaml", config_file=CONFIGS if environment else CONFIGS[0], **settings)
        except Exception as error:
            found = ours(error)
            stream.write(f"{found or repr(error)}\n")
            stream.flush()
            sys.exit(int(found.exit_code) if found else 1)


def _arm(point: str, number: int) -> None:
    """Make the n-th call at a point the last thing that this process does."""
    if point == "reference":
        keep = Checkpoints.keep

        def keep_and_die(self, name, write):
            keep(self, name, write)
            if name == "reference":
                os.kill(os.getpid(), signal.SIGKILL)

        Checkpoints.keep = keep_and_die
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
