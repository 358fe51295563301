"""A revision as the studio sees it, whose process only waits: a test writes its log, and says how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# It takes Ctrl-C as a run does: it ends a moment later, and says so.
_WAITS = """
import json, os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
def end(*_):
    time.sleep(0.3)
    (folder / "done.json").write_text('{"exit_code": 130}')
    (folder / "stopping").unlink(missing_ok=True)
    raise SystemExit(130)
signal.signal(signal.SIGINT, end)
(folder / "process.json").write_text(json.dumps({"pid": os.getpid()}))
while True:
    time.sleep(0.05)
"""


class PlayedRevision:
    """A revision that runs.

    Attributes:
        folder: Its folder.
        process: Its process.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.process = folder, process

    def step(self, number: int, of: int = 10) -> None:
        """Print that it has taken a step."""
        with (self.folder / "log.txt").open("a", encoding="utf-8") as log:
            log.write(f"Unlearning: step {number}/{of}, forget, loss 0.500, 0:00:10 left\n")

    def kill(self) -> None:
        """Kill it, as a machine that is out of memory does."""
        self.process.kill()
        self.process.wait()


@contextmanager
def played_revision(runs: Path, name: str) -> Iterator[PlayedRevision]:
    """Let a revision run until the block ends."""
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"who": "Ada"}), encoding="utf-8")
    words = [sys.executable, "-c", _WAITS, str(folder), "monai_unlearn.studio.job"]
    with subprocess.Popen(words, start_new_session=True) as process:
        try:
            while not (folder / "process.json").exists():
                time.sleep(0.01)
            yield PlayedRevision(folder, process)
        finally:
            process.kill()
