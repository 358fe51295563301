"""One revision as a process of its own, for `monai-unlearn unlearn`: shown as it goes, stopped safely."""

from __future__ import annotations

import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import ExitCode, InputError, UnlearnError
from monai_unlearn.experiments.run_configs import check_parts_of_method, run_configs
from monai_unlearn.experiments.runner import WRITTEN, bundle_command
from monai_unlearn.result import Result
from monai_unlearn.safe_path import safe_environment
from monai_unlearn.terminal import say
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

INTERRUPTED = 130
_SECONDS_OF_ITS_OWN, _SECONDS_TO_END, _SECONDS_TO_TERMINATE = 3, 30, 5
_ERROR = "Error: "


class StoppedError(UnlearnError):
    """The run was interrupted, and has ended."""


@dataclass(frozen=True, kw_only=True)
class Revised:
    """How a run ended.

    Attributes:
        exit_code: That of its process.
        result: What it gave; None where it wrote nothing.
        error: What it said last, where it wrote nothing.
    """

    exit_code: int
    result: Result | None
    error: str = ""

    @property
    def kind(self) -> str:
        """The kind of error, as commands name it in their JSON."""
        return (InputError if self.exit_code == ExitCode.BAD_INPUT else UnlearnError).__name__


def unlearn(
    bundle: Path,
    out: Path,
    settings: Mapping[str, object],
    *,
    overlays: Sequence[Path] = (),
    quiet: bool = False,
) -> Revised:
    """Run a bundle's `unlearn` as a process of its own.

    Args:
        bundle: The bundle's folder, or the `unlearn.yaml` in its configs.
        out: Where results go; new or empty.
        settings: Settings of its command line, by their ids.
        overlays: Further configs, each over those before it.
        quiet: Leave stdout alone: what the run prints goes to stderr.

    Raises:
        ConfigError: The bundle has no config to run, or a setting is of no method that is named.
        StoppedError: The run was interrupted; the message says how to go on.
    """
    configs = [*run_configs(bundle), *overlays]
    check_parts_of_method(configs, settings)
    words = bundle_command(configs, "unlearn", {**settings, "output_dir": out})
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if quiet else {}
    started = subprocess.Popen(words, env=safe_environment(), text=True, errors="replace", **streams)  # type: ignore[call-overload]  # noqa: S603 - no shell; the words are the user's own command
    with _terminated_as_interrupted(), started as process:
        try:
            last = _passed_on(process)
            code = process.wait()
        except KeyboardInterrupt:
            _end(process)
            raise StoppedError(_how_to_go_on(out)) from None
    if code == INTERRUPTED:
        raise StoppedError(_how_to_go_on(out))
    result = Result.read(out) if code in WRITTEN and RunFolder(out).metrics.is_file() else None
    return Revised(exit_code=code, result=result, error="" if result else last)


def _passed_on(process: subprocess.Popen[str]) -> str:
    """Show what a process prints, where it is read here, and return its last line."""
    last = ""
    for line in process.stdout or ():
        say(line.rstrip("\n"), err=True)
        last = line.strip() or last
    return last.removeprefix(_ERROR)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process as Ctrl-C does, which a terminal has sent it already; it then leaves nothing half written."""
    for send, seconds in (
        (None, _SECONDS_OF_ITS_OWN),
        (signal.SIGINT, _SECONDS_TO_END),
        (signal.SIGTERM, _SECONDS_TO_TERMINATE),
    ):
        if send is not None:
            process.send_signal(send)
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:  # again and again: it is ending
            continue
        return
    process.kill()
    process.wait()


def _how_to_go_on(out: Path) -> str:
    checkpoint = RunFolder(out).checkpoint
    if checkpoint.is_dir():
        return f"Stopped; no result was written. The same command goes on from the checkpoint in {checkpoint}."
    return "Stopped; no result was written, and there is no checkpoint yet: the same command starts anew."


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does, so that no process is left behind."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
