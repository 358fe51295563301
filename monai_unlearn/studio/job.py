"""A revision as a process of its own: `python -m monai_unlearn.studio.job FOLDER`. It outlives browser and studio.

FOLDER/job.json        what to run, as the page asked for it, and who asked
FOLDER/protocol.yaml   the protocol that it follows, if any
FOLDER/process.json    the process, while it runs
FOLDER/stopping        there once it was cancelled, until it ended
FOLDER/log.txt         what it prints
FOLDER/run/            what `monai-unlearn unlearn` writes
FOLDER/done.json       how it ended; written last
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from monai_unlearn import strict_yaml
from monai_unlearn.errors import ConfigError, ExitCode, UnlearnError
from monai_unlearn.locks import locked
from monai_unlearn.safe_path import module_command, safe_environment
from monai_unlearn.staging import write_json
from monai_unlearn.studio.bundles import RESULT
from monai_unlearn.studio.workspace import digest_of
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

JOB, PROCESS, STOPPING, LOG, DONE = "job.json", "process.json", "stopping", "log.txt", "done.json"
LOCK = ".running"
BUSY = "another revision runs: one at a time. Wait for it, or cancel it."
_OTHER_SPEC = "Error: the spec was saved again since this was asked for. Start a new revision: it takes it as it is."
_OPTIONS = ("method", "reference", "budget", "protocol")


def command_of(job: Mapping[str, str], folder: Path) -> list[str]:
    """Return the command line that a user would type: `monai-unlearn unlearn …`.

    Args:
        job: The bundle, the index, the spec, and those options that were given.
        folder: The folder of the revision.
    """
    words = [job["bundle"], "--index", job["index"], "--spec", job["spec"], "--out", str(folder / RESULT)]
    for name in _OPTIONS:
        if job.get(name):
            words += [f"--{name}", job[name]]
    return module_command("monai_unlearn", "unlearn", *words, folder=folder)


def run(folder: Path) -> int:
    """Run the revision in a folder, and return its exit code.

    Raises:
        ConfigError: Another one runs.
    """
    with locked(folder.parent / LOCK, refusal=ConfigError(BUSY)):
        (folder / DONE).unlink(missing_ok=True)
        # Written only by who holds the lock: it tells which process to look for, and to interrupt.
        write_json(folder / PROCESS, {"pid": os.getpid()})
        job = json.loads((folder / JOB).read_text(encoding="utf-8"))
        with (folder / LOG).open("a", encoding="utf-8") as log:
            if _is_meant(job):
                code = _waited(command_of(job, folder), folder, log)
            else:
                log.write(f"{_OTHER_SPEC}\n")
                code = int(ExitCode.BAD_INPUT)
        write_json(folder / DONE, {"exit_code": code})
        (folder / STOPPING).unlink(missing_ok=True)
        (folder / PROCESS).unlink(missing_ok=True)
    return code


def _is_meant(job: Mapping[str, str]) -> bool:
    """Whether the spec is still the one that was chosen; a job that names no digest takes it as it is."""
    path = Path(job["spec"])
    return "spec_digest" not in job or (path.is_file() and digest_of(strict_yaml.read(path)) == job["spec_digest"])


def _waited(command: list[str], folder: Path, log: IO[str]) -> int:
    """Run a command to its end, however often the group is interrupted, and return its exit code."""
    interrupted: list[int] = []
    # A handler, and not `SIG_IGN`: a process that is started would inherit that.
    before = signal.signal(signal.SIGINT, lambda number, _: interrupted.append(number))
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; the words are those of our own command
            command, stdout=log, stderr=subprocess.STDOUT, env=safe_environment(), cwd=folder
        )
        if interrupted:  # before it began to listen
            process.send_signal(signal.SIGINT)
        # The whole group is interrupted: the run ends by itself, and leaves a checkpoint.
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def main(folder: Path) -> int:
    """Run the revision, and print why where it cannot run."""
    try:
        return run(folder)
    except UnlearnError as error:
        say(f"Error: {error}", err=True)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
