"""An Ignite handler that shows the progress of a long run."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Engine, Events
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monai_unlearn.engine import distributed
from monai_unlearn.terminal import escaping_console

if TYPE_CHECKING:
    from collections.abc import Mapping

# Lines for a whole run where there is no terminal.
LINES = 10


class ProgressBar:
    """A live line on stderr: step, phase, loss, running accuracy, time left. Without a terminal, ten lines a run.

    In a distributed run, the main process alone shows it.

    Args:
        description: What is running, such as `Training`.
    """

    def __init__(self, *, description: str) -> None:
        self.description = description
        self._console = escaping_console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: Any = None
        self._started = 0.0
        self._first = 0

    def attach(self, engine: Engine) -> None:
        """Follow an engine whose output holds `loss`; an `UnlearnTrainer` also has phase and accuracy to show."""
        if not distributed.is_main_process():
            return
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._advance)
        engine.add_event_handler(Events.COMPLETED, self._stop)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _start(self, engine: Engine) -> None:
        self._started, self._first = time.perf_counter(), engine.state.iteration
        self._progress.start()
        self._task = self._progress.add_task(
            self.description, total=_total(engine), completed=self._first, state="starting"
        )

    def _advance(self, engine: Engine) -> None:
        step, total = engine.state.iteration, _total(engine)
        if self._console.is_terminal:
            self._progress.update(self._task, completed=step, total=total, state=_state(engine))
        elif step >= total or step * LINES // total > (step - 1) * LINES // total:
            line = f"{self.description}: step {step}/{total}, {_state(engine)}, {self._left(step, total)} left"
            self._console.print(line, highlight=False, soft_wrap=True)

    def _left(self, step: int, total: int) -> timedelta:
        """Return the time left at the pace so far."""
        seconds = (time.perf_counter() - self._started) / (step - self._first) * (total - step)
        return timedelta(seconds=round(seconds))

    def _stop(self, _engine: Engine) -> None:
        self._progress.stop()

    def _fail(self, _engine: Engine, error: Exception) -> None:
        self._progress.stop()
        raise error


def _total(engine: Engine) -> int:
    known: int | None = getattr(engine, "total_steps", None)
    return known or (engine.state.max_epochs or 1) * (engine.state.epoch_length or 1)


def _state(engine: Engine) -> str:
    """Return phase, loss and running accuracy as text, as far as the engine has them."""
    phase = getattr(engine, "phase", None)
    running = getattr(engine, "running_accuracy", None)
    accuracy: Mapping[str, float] = running.accuracy if running is not None else {}
    words = [f"{phase} paused" if getattr(engine, "paused", False) else phase] if phase else []
    words.append(f"loss {_loss(engine):.3f}")
    words += [f"{part} accuracy {accuracy[part]:.2f}" for part in ("forget", "remain") if part in accuracy]
    return ", ".join(words)


def _loss(engine: Engine) -> float:
    output = engine.state.output
    output = output[0] if isinstance(output, list) else output
    return torch.as_tensor(output["loss"]).item()
