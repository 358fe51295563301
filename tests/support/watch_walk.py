"""Runs `monai-unlearn watch` and kills it, as `kill -9` does: at its Nth durable step, or while its run goes on.

The run is a process that notes that it began, and writes its results once a file `go` is there, whatever becomes of the
service.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from monai_unlearn.experiments import runner

RUN = """
import pathlib, sys, time
out = pathlib.Path(sys.argv[1])
started = out.parents[3] / "started"
with started.open("a") as stream:
    stream.write("run\\n")
while not started.with_name("go").exists():
    time.sleep(0.05)
(out / "evidence").mkdir(parents=True)
(out / "revised_bundle").mkdir()
aside = out / "evidence" / "aside"
aside.write_text('{"verdict": "qualified", "why": []}')
aside.rename(out / "evidence" / "metrics.json")
"""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(point: str, words: list[str]) -> None:
    replace, count = Path.replace, 0

    def counted(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if str(count) == point:
            die()
        return replace(self, target)

    def start(command: list[str], **streams: object) -> subprocess.Popen[bytes]:
        output = next(word for word in command if word.startswith("--output_dir=")).partition("=")[2]
        words = [sys.executable, "-c", RUN, output]
        process = subprocess.Popen(words, stderr=subprocess.STDOUT, **streams)  # type: ignore[call-overload]
        if point == "run":
            while not Path(output).parents[3].joinpath("started").exists():
                pass
            die()
        return process

    Path.replace = counted  # type: ignore[method-assign]
    runner.start = start  # type: ignore[assignment]
    from monai_unlearn.cli import app

    app(words)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[3:])
