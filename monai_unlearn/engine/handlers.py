"""Ignite handlers: what a person sees of a long run, and where it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Engine, Events
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import predict

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn
    from torch.utils.data import Dataset


class ProgressBar:
    """A live line on stderr: step, loss, time left. Where stderr is no terminal, a line an epoch.

    Args:
        description: What is running.
    """

    def __init__(self, *, description: str) -> None:
        self.description = description
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.3f}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: Any = None

    def attach(self, engine: Engine) -> None:
        """Follow an engine whose output holds `loss`."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._advance)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._say)
        engine.add_event_handler(Events.COMPLETED, self._stop)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _start(self, engine: Engine) -> None:
        total = (engine.state.max_epochs or 1) * (engine.state.epoch_length or 1)
        self._progress.start()
        self._task = self._progress.add_task(self.description, total=total, loss=float("nan"))

    def _advance(self, engine: Engine) -> None:
        self._progress.update(self._task, advance=1, loss=_loss(engine))

    def _say(self, engine: Engine) -> None:
        if not self._console.is_terminal:
            epochs = f"{engine.state.epoch}/{engine.state.max_epochs}"
            self._console.print(f"{self.description}: epoch {epochs}, loss {_loss(engine):.3f}", highlight=False)

    def _stop(self, _engine: Engine) -> None:
        self._progress.stop()

    def _fail(self, _engine: Engine, error: Exception) -> None:
        self._progress.stop()
        raise error


def _loss(engine: Engine) -> float:
    output = engine.state.output
    output = output[0] if isinstance(output, list) else output
    return torch.as_tensor(output["loss"]).item()


class StopWhenForgotten:
    """Stops the run once accuracy on forget training images is low enough.

    It looks at training images only, so that test images choose nothing.

    Args:
        network: The network being revised.
        forget: The forget part's training items, without augmentation.
        at_most: The accuracy to reach, in [0, 1].
        every: Steps between two looks, at least 1. A look costs a forward pass over the forget images.
        device: Where the network is.
        view: What to look at instead of the network itself, such as a copy with recalibrated statistics.
    """

    def __init__(
        self,
        *,
        network: nn.Module,
        forget: Dataset[Any],
        at_most: float,
        every: int = 10,
        device: str | torch.device = "cpu",
        view: Callable[[nn.Module], nn.Module] | None = None,
    ) -> None:
        if not 0 <= at_most <= 1 or every < 1:
            raise ConfigError(
                f"stop: expected a forget accuracy in [0, 1] and at least 1 step between looks, got {at_most}, {every}."
            )
        self.network = network
        self.forget = forget
        self.at_most = at_most
        self.every = every
        self.device = device
        self.view = view or (lambda network: network)
        self.seen: list[float] = []

    def attach(self, engine: Engine) -> None:
        """Look at the network every so many steps of an engine."""
        engine.add_event_handler(Events.ITERATION_COMPLETED(every=self.every), self)

    def __call__(self, engine: Engine) -> None:
        """Stop the engine if the accuracy is reached."""
        right = predict(self.view(self.network), self.forget, device=self.device).right
        self.seen.append(float(right.float().mean()))
        if self.seen[-1] <= self.at_most:
            engine.terminate()
