"""The part of a run that changes weights: preparation and steps, with checkpoints from which a killed run resumes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Engine, Events
from ignite.utils import manual_seed

from monai_unlearn.engine import distributed
from monai_unlearn.engine.checkpoint import STATE
from monai_unlearn.engine.ensembles import presented
from monai_unlearn.engine.guards import check_finite
from monai_unlearn.engine.random_state import random_state, set_random_state
from monai_unlearn.errors import TrainingError
from monai_unlearn.methods import MethodContext, info_of
from monai_unlearn.methods.base import FORWARD_PASS
from monai_unlearn.release import load_weights, save_weights
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch.utils.data import Dataset

    from monai_unlearn.engine.checkpoint import Checkpoints
    from monai_unlearn.engine.stopping import Stopping
    from monai_unlearn.engine.trainer import UnlearnTrainer
    from monai_unlearn.methods import PixelSpace
    from monai_unlearn.methods.base import Judge

UPDATES = "updates"
WEIGHTS = "model.pt"


@dataclass(kw_only=True)
class Updates:
    """Prepares the method and runs the trainer, or resumes both after a killed run.

    The main process saves the weights and everything that the next steps depend on. While the method is prepared,
    each process saves what it has found.

    Args:
        trainer: The trainer with its method, network and optimiser.
        forget: The forget part's training images.
        remain: The remain part's training images as they are; without them, those that steps draw.
        validation: Images that the original was not trained on, by part.
        snapshots: Weights that training kept on its way, the earliest first.
        parents: State dicts of the networks to compose, if the method composes.
        judge: Says how good a network is, where something does.
        pixel_space: How network inputs follow from pixels.
        stopping: Ends or pauses forgetting; not attached yet.
        checkpoints: Where states are saved.
        checkpoint_seconds: Seconds between two checkpoints; with 0, every step saves one.
        seed: Seeds the preparation and every random draw of the steps.
    """

    trainer: UnlearnTrainer
    forget: Dataset[Any]
    remain: Dataset[Any] | None = None
    validation: Mapping[str, Dataset[Any]] = field(default_factory=dict)
    snapshots: Sequence[Path] = ()
    remain_labels: Sequence[int] = ()
    parents: Sequence[Mapping[str, torch.Tensor]] = ()
    judge: Judge | None = None
    pixel_space: PixelSpace
    stopping: Stopping
    checkpoints: Checkpoints
    checkpoint_seconds: float
    seed: int
    seconds: dict[str, float] = field(init=False, default_factory=lambda: {"preparation": 0.0, "updates": 0.0})
    resumed_at: list[int] = field(init=False, default_factory=list)
    _saved_at: float = field(init=False, default_factory=time.perf_counter)
    _good_step: int | None = field(init=False, default=None)

    def run(self) -> None:
        """Change the weights.

        Raises:
            TrainingError: A loss or weight stopped being finite, memory ran out, or another process ended.
        """
        manual_seed(self.seed)
        state = self._saved_state()
        self._prepare(state)
        if state:
            self._resume(state)
        elif distributed.is_main_process():
            self._save()
        self._train()

    @property
    def record(self) -> dict[str, Any]:
        """How the updates ended, for `run.json`."""
        state = self.trainer.state
        return {
            "ended_by": state.ended_by or "plan",
            "phase_ends": list(state.phase_ends),
            "evaluated_on": f"forget / {self.stopping.evaluated_on}",
            "history": self.stopping.history,
            "resumed_at_steps": self.resumed_at,
            "method": self.trainer.method.record,
        }

    @property
    def notes(self) -> list[str]:
        """What a reader must know about how the updates went."""
        return [*self.trainer.state.notes, *self.stopping.notes]

    def _saved_state(self) -> dict[str, Any] | None:
        """Return the state that a killed run saved of its steps, once every process has loaded it."""
        if distributed.is_main_process():
            self.checkpoints.begin()
        state = self.checkpoints.load_state(UPDATES)
        distributed.wait()
        return state

    def _prepare(self, state: dict[str, Any] | None) -> None:
        """Let the method prepare itself on the original weights; what was found already is not searched again."""
        method = self.trainer.method
        if method.one_shot and distributed.is_main_process():
            say(f"Unlearning: {info_of(method).name} edits the weights once and takes no steps.", err=True)
        found = state or self.checkpoints.load_state(self._search_name)
        if found:
            method.load_state_dict(found["method"])
            self.seconds["preparation"] = found["seconds"]["preparation"]
        before, started = self.seconds["preparation"], time.perf_counter()

        def checkpoint() -> None:
            self.seconds["preparation"] = before + time.perf_counter() - started
            if self._is_due():
                self.checkpoints.save_state(
                    self._search_name, {"method": method.state_dict(), "seconds": dict(self.seconds)}
                )

        method.prepare(
            MethodContext(
                network=self.trainer.network,
                forget=self.forget,
                pixel_space=self.pixel_space,
                device=torch.device(self.trainer.state.device),
                seed=self.seed,
                # Not those that steps draw: these may be augmented at random.
                remain=self.trainer.loader.data["remain"] if self.remain is None else self.remain,
                training_loss=self.trainer.training_loss,
                rank=distributed.rank(),
                world_size=distributed.world_size(),
                all_reduce_sum=distributed.all_reduce_sum,
                checkpoint=checkpoint,
                validation=self.validation,
                snapshots=self.snapshots,
                remain_labels=self.remain_labels,
                parents=self.parents,
                judge=self.judge,
            )
        )
        if method.replacement is not None:
            self.trainer.network = presented(method.replacement, self.trainer.network)
        if method.one_shot:
            self.trainer.end("one shot")
        # A method that counts nothing yet may count later, within its steps or after them.
        took = method.gradient_evaluations + FORWARD_PASS * method.forward_passes
        took = distributed.broadcast(took, torch.device(self.trainer.state.device))
        self.trainer.state.prepared = None if method.prepares_later else took or None
        self.seconds["preparation"] = before + time.perf_counter() - started

    def _resume(self, state: dict[str, Any]) -> None:
        """Go on with the steps from a killed run's latest checkpoint."""
        trainer = self.trainer
        folder = self.checkpoints.latest(UPDATES)
        if folder is None:
            raise AssertionError("its state was loaded a moment ago")
        load_weights(trainer.network, folder / WEIGHTS)
        trainer.optimizer.load_state_dict(state["optimizer"])
        trainer.load_state_dict(state["trainer"])
        self.stopping.load_state_dict(state["stopping"])
        set_random_state(state["random"])
        self.seconds["updates"] = state["seconds"]["updates"]
        self._good_step = trainer.state.iteration
        self.resumed_at = [*state["resumed_at"], trainer.state.iteration]
        if distributed.is_main_process() and not trainer.method.one_shot:
            say(f"Resuming from step {trainer.state.iteration} of {trainer.total_steps}.", err=True)

    def _train(self) -> None:
        """Run the steps, saving a checkpoint whenever one is due."""
        trainer = self.trainer
        before, started = self.seconds["updates"], time.perf_counter()
        self.stopping.attach(trainer)

        def save(_engine: Engine) -> None:
            self.seconds["updates"] = before + time.perf_counter() - started
            if distributed.is_main_process() and (self._is_due() or trainer.is_over):
                self._save()

        # After the handlers of `stopping`, whose decision on a step belongs to the step's checkpoint.
        trainer.add_event_handler(Events.ITERATION_COMPLETED, save)
        try:
            trainer.run()
            trainer.method.finish()
            check_finite(trainer.network)
        except TrainingError as error:
            raise TrainingError(f"{error}{self._where_saved()}") from error
        self.seconds["updates"] = before + time.perf_counter() - started

    def _save(self) -> None:
        """Save the weights, if they are finite, and everything that the next steps depend on."""
        trainer = self.trainer
        check_finite(trainer.network)
        state = {
            "optimizer": trainer.optimizer.state_dict(),
            "method": trainer.method.state_dict(),
            "trainer": trainer.state_dict(),
            "stopping": self.stopping.state_dict(),
            "random": random_state(),
            "seconds": dict(self.seconds),
            "resumed_at": self.resumed_at,
        }

        def write(folder: Path) -> None:
            save_weights(trainer.network, folder / WEIGHTS)
            torch.save(state, folder / STATE)

        self.checkpoints.save(UPDATES, write)
        self._good_step = trainer.state.iteration

    def _is_due(self) -> bool:
        """Return whether it is time for another checkpoint, and if so, start timing the next."""
        now = time.perf_counter()
        due = now - self._saved_at >= self.checkpoint_seconds
        if due:
            self._saved_at = now
        return due

    def _where_saved(self) -> str:
        folder = None if self._good_step is None else self.checkpoints.latest(UPDATES)
        return f" The last good checkpoint, of step {self._good_step}, is kept in {folder}." if folder else ""

    @property
    def _search_name(self) -> str:
        return f"search-{distributed.rank()}"
