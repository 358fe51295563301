"""Prepares a demo, step by step; what an earlier start has done is not done again."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError, ExitCode, UnlearnError
from monai_unlearn.experiments.unlearn import StoppedError
from monai_unlearn.locks import locked
from monai_unlearn.release.config_text import edited
from monai_unlearn.release.contents import TRAINING_RECORD, WEIGHTS
from monai_unlearn.safe_path import module_command, safe_environment
from monai_unlearn.staging import remove_unfinished, staged, write_text
from monai_unlearn.studio.demo.people import begin
from monai_unlearn.studio.demo.story import BUNDLE, CONFIGS, DEMO, LABELS, SPEC, SPEC_NAME
from monai_unlearn.studio.workspace import Workspace
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monai_unlearn.studio.demo.folder import DemoFolder

_LOCK = ".preparing"
_BUSY = "another process prepares this demo. Wait for it, or name another folder."


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step.

    Attributes:
        title: What it does.
        is_done: Whether an earlier start has done it.
        do: Does it.
    """

    title: str
    is_done: Callable[[], bool]
    do: Callable[[], None]


def prepare(folder: DemoFolder) -> None:
    """Draw, index, train, and write what the demo begins with; say what is done.

    Raises:
        InputError: The folder holds something else, another process prepares it, or an extra is missing.
        StoppedError: It was interrupted; the same command goes on.
        UnlearnError: A step failed; what it printed says why.
    """
    folder.claim()
    try:
        with locked(folder.root / _LOCK, refusal=ConfigError(_BUSY)):
            steps = steps_of(folder)
            for number, step in enumerate(steps, 1):
                if step.is_done():
                    continue
                say(f"\n[{number}/{len(steps)}] {step.title}")
                step.do()
    except KeyboardInterrupt:
        raise StoppedError(f"Stopped. The same command goes on: {command_of(folder)}") from None


def command_of(folder: DemoFolder) -> str:
    """Return the command that opens a demo again."""
    return shlex.join(["monai-unlearn", "studio", "--demo", str(folder.root)])


def steps_of(folder: DemoFolder) -> list[Step]:
    """Return the steps of a demo, in order."""
    bundle, record = folder.bundle, folder.bundle / TRAINING_RECORD
    words = {
        "draw": DEMO.draw(folder.studies),
        "index": DEMO.index(folder.studies, folder.index),
        "train": DEMO.train(bundle, folder.index),
    }
    return [
        Step(
            title="Draw photographs of made-up patients",
            is_done=(folder.studies / LABELS).is_file,
            do=lambda: _run("monai_unlearn", words["draw"], folder),
        ),
        Step(
            title="Index them with their diagnoses",
            is_done=(folder.index / "index.json").is_file,
            do=lambda: _run("monai_unlearn", words["index"], folder),
        ),
        Step(title="Take the bundle to train", is_done=bundle.is_dir, do=lambda: _copy_bundle(bundle)),
        Step(
            title="Train the classifier that is in use",
            is_done=record.is_file,
            do=lambda: _train(words["train"], folder),
        ),
        begin_step(folder),
    ]


def begin_step(folder: DemoFolder) -> Step:
    """Return the step that writes what a demo begins with, or what each visitor begins with."""
    spec = Workspace(folder.work).specs / f"{SPEC_NAME}.yaml"

    def do() -> None:
        begin(folder)
        Workspace(folder.work).prepare()
        write_text(spec, SPEC)

    return Step(title="Make two keys, a ledger, and the spec of a camera to retire", is_done=spec.is_file, do=do)


def _copy_bundle(target: Path) -> None:
    """Copy the bundle with the demo's settings in its configs: the studio's pages give none."""
    remove_unfinished(target)
    with staged(target) as aside:
        shutil.copytree(BUNDLE, aside, ignore=shutil.ignore_patterns("models"), dirs_exist_ok=True)
        for name, settings in CONFIGS.items():
            path = aside / "configs" / name
            text = edited(path, {tuple(key.split("::")): value for key, value in settings.items()})
            path.write_text(text, encoding="utf-8")


def _train(words: list[str], folder: DemoFolder) -> None:
    """Train, whatever a killed start has left: training replaces no weights without a record."""
    shutil.rmtree(folder.bundle / WEIGHTS.parent, ignore_errors=True)
    _run("monai.bundle", words, folder)


def _run(module: str, words: list[str], folder: DemoFolder) -> None:
    """Run a command that a user would type, and print it."""
    shown = "monai-unlearn" if module == "monai_unlearn" else f"python -m {module}"
    say(f"    $ {shown} {shlex.join(word.replace(f'{folder.root}/', '') for word in words)}")
    environment = {**safe_environment(), "PYTHONWARNINGS": "ignore"}
    command = module_command(module, *words, folder=folder.root)
    with subprocess.Popen(command, env=environment, cwd=folder.root) as process:  # noqa: S603 - no shell; our own words
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # The terminal has interrupted it as well; it leaves nothing half written.
            process.wait()
            raise
    if code in {130, -2}:
        raise KeyboardInterrupt
    if code:
        kind = ConfigError if code == ExitCode.BAD_INPUT else UnlearnError
        raise kind(f"the demo cannot be prepared: a step ended with exit code {code}; it says above why.")


def use_one_thread() -> None:
    """Let the processes of a demo use a thread each: its batches are small, and more threads wait for each other."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
