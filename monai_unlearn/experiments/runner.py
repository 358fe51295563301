"""Bundle runs as processes: one at a time or several side by side, each with its log, and none left behind."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, TypeVar

from monai_unlearn.errors import DataError, ExitCode, TrainingError
from monai_unlearn.experiments.sharing import shared_environment
from monai_unlearn.experiments.warm_runs import current
from monai_unlearn.release.record_run import LEDGER_VARIABLES
from monai_unlearn.safe_path import module_command, module_words, safe_environment
from monai_unlearn.vocabulary.run_folder import PARENT_RUN, RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from monai_unlearn.experiments.warm_runs import WarmRun

T = TypeVar("T")
R = TypeVar("R")

# Exit codes after which a run has written its evidence.
WRITTEN = (ExitCode.DONE, ExitCode.NOT_ACCEPTED)
LOG, RUN = "log.txt", "run"
_SECONDS_TO_END = 20
_running: set[subprocess.Popen[bytes] | WarmRun] = set()
_ending = threading.Event()


@dataclass(frozen=True, kw_only=True)
class BundleRun:
    """One run of a bundle's `unlearn` or `train`.

    Args:
        config: The bundle's `unlearn.yaml`, or its training config.
        settings: The settings of its command line as text, by their ids; where the results go is added.
        folder: Where it goes: its results in `run`, what it prints in `log.txt`.
        overlays: Further configs, each over those before it.
        run_id: `unlearn`, or `train`, which writes weights and their record.
        in_ledger: Whether the site's ledger notes it, where the environment names one: trials are no revisions.
    """

    config: Path
    settings: Mapping[str, str]
    folder: Path
    overlays: Sequence[Path] = ()
    run_id: Literal["unlearn", "train"] = "unlearn"
    in_ledger: bool = False

    @property
    def output(self) -> RunFolder:
        """The results."""
        return RunFolder(self.folder / RUN)

    @property
    def weights(self) -> Path:
        """The weights that `train` writes."""
        return self.output.root / "model.pt"

    @property
    def is_finished(self) -> bool:
        """Whether it has written what it writes last: its evidence, whatever the verdict, or the training record."""
        last = self.output.metrics if self.run_id == "unlearn" else self.weights.with_name("training.json")
        return last.is_file()

    @property
    def command(self) -> list[str]:
        """The command line."""
        where = ("output_dir", self.output.root) if self.run_id == "unlearn" else ("checkpoint", self.weights)
        return bundle_command([self.config, *self.overlays], self.run_id, dict([*self.settings.items(), where]))

    def execute(self, *, threads: int | None = None) -> tuple[int, str]:
        """Run it; return its exit code and the last line it printed.

        A run that was killed has written nothing, or a checkpoint, from which the next one goes on.

        Args:
            threads: How many threads it computes with; as many as the environment says by default.

        Raises:
            CancelledError: It is one of several side by side, of which another has failed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / LOG
        self.wait_for_orphan()
        environment = safe_environment() | shared_environment()
        if not self.in_ledger:
            environment = {name: value for name, value in environment.items() if name not in LEDGER_VARIABLES}
        if threads is not None:
            environment |= {"OMP_NUM_THREADS": str(threads)}
        with log.open("w", encoding="utf-8") as stream:
            _lock(stream)
            _refuse_while_ending()
            process = start(self.command, stdout=stream, env=environment)
            try:
                _running.add(process)
                _refuse_while_ending()  # it may have begun just before the others were ended
                code = process.wait()
            finally:
                _running.discard(process)
                _end(process)
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        return code, (lines[-1] if lines else "it printed nothing.").removeprefix("Error: ")

    def wait_for_orphan(self) -> None:
        """Wait for a process of this run that outlived the one that started it, which was killed.

        A process holds the lock of its log as long as it runs, because what it prints goes there.
        """
        log = self.folder / LOG
        if log.is_file():
            with log.open("a", encoding="utf-8") as stream:
                _lock(stream)

    def finish(self, *, threads: int | None = None) -> RunFolder:
        """Run it unless it is finished, and return its results.

        Raises:
            DataError: It refused its input.
            TrainingError: It failed.
        """
        if self.is_finished:
            return self.output
        code, error = self.execute(threads=threads)
        if code == ExitCode.BAD_INPUT:
            raise DataError(f"a run refused its input: {_ended(error)} Its log is {self.folder / LOG}.")
        if code not in WRITTEN or not self.is_finished:
            raise TrainingError(f"a run failed with exit code {code}: {_ended(error)} Its log is {self.folder / LOG}.")
        return self.output


def _ended(text: str) -> str:
    """Return a sentence with its full stop.

    >>> _ended("give another"), _ended("Give another.")
    ('give another.', 'Give another.')
    """
    return text if text.endswith((".", "!", "?")) else f"{text}."


def bundle_command(configs: Sequence[Path], run_id: str, settings: Mapping[str, object]) -> list[str]:
    """Return the command line of a bundle run.

    Args:
        configs: The config files, each over those before it.
        run_id: The id to run.
        settings: What replaces settings of the configs, by their ids, as text.
    """
    words = [f"--{name}={value}" for name, value in settings.items()]
    if run_id == "unlearn" and PARENT_RUN in os.environ:
        words.append("--tracking=mlflow")  # nested in the run of a rehearsal, a comparison or a sweep
    files = json.dumps([str(path) for path in configs]) if len(configs) > 1 else str(configs[0])
    # A bundle's own modules lie in its folder, as they do in MONAI's model zoo.
    folder = configs[0].parent.parent.resolve()
    return module_command("monai.bundle", "run", run_id, "--config_file", files, *words, folder=folder)


def start(words: list[str], *, stdout: IO[str], env: Mapping[str, str]) -> subprocess.Popen[bytes] | WarmRun:
    """Start a process whose two streams go into one file; within `warm_runs`, fork it.

    Args:
        words: What `module_command` returns.
        stdout: The file.
        env: The environment.
    """
    server = current()
    if server is not None:
        with suppress(OSError, EOFError):  # what cannot be forked is started as any process is
            folder, *rest = module_words(words)
            return server.start(*rest, folder=Path(folder), stdout=stdout, env=env)
    return subprocess.Popen(  # noqa: S603 - no shell; the words are the user's own command
        words,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        env=dict(env),
    )


def side_by_side(function: Callable[[T], R], items: Iterable[T], *, jobs: int) -> list[R]:
    """Return what a function gives for each item, with so many at once; their processes end when one fails.

    Args:
        function: Called with each item, in a thread of its own where `jobs` is above 1.
        items: The items.
        jobs: How many at once, at least 1.
    """
    if jobs == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            _end_all(futures)
            raise
        finally:
            pool.shutdown()
            _ending.clear()


def _end_all(futures: Iterable[Future[R]]) -> None:
    """End the runs side by side; a thread whose run ends by it begins no other."""
    _ending.set()
    for future in futures:
        future.cancel()
    for process in tuple(_running):
        process.terminate()


def _refuse_while_ending() -> None:
    if _ending.is_set():
        raise CancelledError


def threads_each(jobs: int) -> int | None:
    """Return how many threads each of several runs at once should compute with; None leaves one run alone as it is."""
    return None if jobs == 1 else max(1, (os.cpu_count() or 1) // jobs)


def _lock(stream: IO[str]) -> None:
    """Wait until no other process holds the lock of a file, and take it; processes that get the stream share it."""
    try:
        import fcntl
    except ImportError:  # Windows: there, no process outlives the job of its service
        return
    fcntl.flock(stream, fcntl.LOCK_EX)


def _end(process: subprocess.Popen[bytes] | WarmRun) -> None:
    """End a process that is still running, because this one was interrupted."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
