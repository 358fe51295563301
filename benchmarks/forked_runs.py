"""Many small runs of a bundle by its command line, each a process of its own, forked from one that imported torch once.

A run of a small cohort takes two seconds, and importing what it needs five. So benchmarks of many runs fork them.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import shutil
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo_cohorts import BUNDLES, Candidate, index_of, written_spec

from monai_unlearn.engine.checkpoint import checkpoint_folder
from monai_unlearn.errors import ExitCode

LONGEST = 900
KILLED = -signal.SIGKILL
WRITTEN = (ExitCode.DONE, ExitCode.NOT_ACCEPTED)

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["monai.bundle", "monai_unlearn.engine", "monai_unlearn.methods", "duckdb"])


@dataclass(frozen=True, kw_only=True)
class Case:
    """A cohort that a bundle is to forget."""

    bundle: str
    candidate: Candidate


def bundle_program(words: list[str], log: str) -> None:
    """Be `python -m monai.bundle WORDS`, in a process that has imported it."""
    from monai_unlearn.engine.host import ours

    sys.argv = ["monai.bundle", *words]
    with Path(log).open("a", encoding="utf-8") as stream, redirect_stdout(stream), redirect_stderr(stream):
        try:
            runpy.run_module("monai.bundle", run_name="__main__", alter_sys=True)
        except Exception as error:  # noqa: BLE001 - what a run prints of it is read from its log
            found = ours(error)
            stream.write(f"{found or repr(error)}\n")
            stream.flush()
            os._exit(int(found.exit_code) if found else 1)


class ForkedRuns:
    """The runs of one case: the original, the networks retrained under each seed, and revisions."""

    def __init__(self, case: Case, work: Path, *, seeds: tuple[int, ...]) -> None:
        self.case, self.work, self.seeds = case, work, seeds
        work.mkdir(parents=True, exist_ok=True)
        self.configs = BUNDLES / case.bundle / "configs"
        self.index = index_of(case.bundle, case.candidate.patients, work.parent, drawn=case.candidate.drawn)
        self.spec = written_spec(case.candidate, work / "spec.yaml")

    @property
    def references(self) -> list[str]:
        """The weights of the retrained networks."""
        return [str(self.checkpoint(seed)) for seed in self.seeds]

    def checkpoint(self, seed: int) -> Path:
        """Return where the weights of a network are: 0 is the original."""
        return self.work / f"network-{seed}" / "model.pt"

    def train(self) -> None:
        """Train the original, with states kept on the way, and the retrained networks, unless an earlier run did."""
        for seed in (0, *self.seeds):
            self.fit(seed, **({"parts": ["remain"]} if seed else {"snapshots": 3}))

    def fit(self, seed: int, **settings: object) -> None:
        """Train the network of a seed by further settings of the command line, unless an earlier run did."""
        path, log = self.checkpoint(seed), self.work / f"network-{seed}.log"
        if path.with_name("training.json").exists():
            return
        given = {"seed": seed, "checkpoint": path, "max_epochs": self.case.candidate.epochs, **settings}
        done = self._started("train", log, given)
        done.join(LONGEST)
        if done.exitcode != 0:
            sys.exit(last_line(log))

    def unlearn(self, out: Path, *, kill_at: int | None = None, **settings: object) -> tuple[int, str]:
        """Run `unlearn` to its end; return its exit code and the last line that it printed.

        Args:
            out: The folder of its results, which is written anew.
            kill_at: The number of the saved state at which the run is killed once, and started again.
            settings: Settings of the command line.
        """
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(checkpoint_folder(out), ignore_errors=True)
        log = out.with_suffix(".log")
        given = {"output_dir": out, "checkpoint": self.checkpoint(0), "reference": self.references, **settings}
        process = self._started("unlearn", log, given)
        if kill_at is not None:
            _kill(process, out, kill_at)
            if process.exitcode != KILLED:
                return process.exitcode, f"ended before it was killed: {last_line(log)}"
            process = self._started("unlearn", log, given)
        process.join(LONGEST)
        if process.is_alive():
            process.kill()
            return KILLED, f"still running after {LONGEST} s"
        return process.exitcode, last_line(log)

    def _started(self, run_id: str, log: Path, settings: dict[str, object]) -> Any:  # noqa: ANN401 - a process
        given = {
            "config_file": self.configs / f"{run_id}.yaml",
            "index_dir": self.index,
            "cohort_spec": self.spec,
            "device": "cpu",
            "logging_file": False,
            **self.case.candidate.settings,
            **settings,
        }
        words = [part for key, value in given.items() for part in (f"--{key}", _word(value))]
        process = CONTEXT.Process(target=bundle_program, args=(["run", run_id, *words], str(log)))
        process.start()
        return process


def _kill(process: Any, out: Path, number: int) -> None:  # noqa: ANN401 - a process
    """Kill a run by SIGKILL once it has saved so many states."""
    ends = time.monotonic() + LONGEST
    while process.is_alive() and time.monotonic() < ends:
        states = [int(path.suffix[1:]) for path in checkpoint_folder(out).glob("updates.[0-9]*")]
        if states and max(states) >= number:
            process.kill()
            break
        time.sleep(0.005)
    process.join()


def _word(value: object) -> str:
    return json.dumps(value) if value is None or isinstance(value, list | dict) else str(value)


def last_line(log: Path) -> str:
    """Return the last line of a log."""
    lines = log.read_text(encoding="utf-8").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it printed nothing"
