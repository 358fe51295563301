"""A revision as a process of its own: `python -m monai_unlearn.studio.job FOLDER`. It outlives browser and studio.

FOLDER/job.json        what to run, as the page asked for it
FOLDER/process.json    the process, while it runs
FOLDER/log.txt         what it prints
FOLDER/run/            what `monai-unlearn unlearn` writes
FOLDER/done.json       how it ended; written last
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.locks import locked
from monai_unlearn.safe_path import module_command, safe_environment
from monai_unlearn.staging import write_json
from monai_unlearn.studio.bundles import RESULT

if TYPE_CHECKING:
    from collections.abc import Mapping

JOB, PROCESS, LOG, DONE = "job.json", "process.json", "log.txt", "done.json"
LOCK = ".running"
_BUSY = "another revision runs: one at a time. Wait for it, or cancel it."
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
    with locked(folder.parent / LOCK, refusal=ConfigError(_BUSY)):
        (folder / DONE).unlink(missing_ok=True)
        job = json.loads((folder / JOB).read_text(encoding="utf-8"))
        write_json(folder / PROCESS, {"pid": os.getpid()})
        with (folder / LOG).open("a", encoding="utf-8") as log:
            process = subprocess.Popen(  # noqa: S603 - no shell; the words are those of our own command
                command_of(job, folder), stdout=log, stderr=subprocess.STDOUT, env=safe_environment(), cwd=folder
            )
            try:
                code = process.wait()
            except KeyboardInterrupt:
                # The whole group was interrupted: the run ends by itself, and leaves a checkpoint.
                code = process.wait()
        write_json(folder / DONE, {"exit_code": code})
        (folder / PROCESS).unlink(missing_ok=True)
    return code


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]).resolve()))
