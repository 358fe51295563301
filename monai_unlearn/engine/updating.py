"""The part of a run that changes weights: search, steps, and what is kept of both for a killed run to go on from."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Engine, Events
from ignite.utils import manual_seed

from monai_unlearn.engine import distributed
from monai_unlearn.engine.checkpoint import STATE
from monai_unlearn.engine.random_state import random_state, set_random_state
from monai_unlearn.engine.stopping import Stopping
from monai_unlearn.engine.trainer import check_finite
from monai_unlearn.errors import TrainingError
from monai_unlearn.methods import MethodContext
from monai_unlearn.release import load_weights, save_weights

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.engine.checkpoint import Checkpoints
    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.engine.revision import Revision

UPDATES = "updates"
WEIGHTS = "model.pt"


class Updates:
    """Prepares the method and runs the trainer, or goes on where a killed run was.

    The first process keeps weights and all that the next steps follow from; while a method is prepared, each
    process keeps what it has found.

    Args:
        revision: The run.
        reference: The retrained reference, in the first process, if any.
        checkpoints: Where states are kept.
    """

    def __init__(self, revision: Revision, reference: Reference | None, checkpoints: Checkpoints) -> None:
        self.revision = revision
        self.reference = reference
        self.checkpoints = checkpoints
        self.seconds = {"preparation": 0.0, "updates": 0.0}
        self.resumed_at: list[int] = []
        self.stopping: Stopping | None = None
        self._kept_at = time.perf_counter()
        self._good_step: int | None = None

    def run(self) -> None:
        """Change the weights.

        Raises:
            TrainingError: A loss or weight stopped being finite, memory does not do, or a process ended.
        """
        manual_seed(self.revision.seed)
        state = self._kept()
        self._prepare(state)
        if state:
            self._go_on(state)
        elif distributed.is_main_process():
            self._keep()
        self._train()

    @property
    def record(self) -> dict[str, Any]:
        """How the updates ended, for `run.json`."""
        trainer, stopping = self.revision.trainer, self.stopping
        return {
            "ended_by": trainer.ended_by or "plan",
            "phase_ends": trainer.phase_ends,
            "evaluated_on": f"forget / {stopping.evaluated_on}" if stopping else None,
            "history": stopping.history if stopping else [],
            "resumed_at_steps": self.resumed_at,
        }

    @property
    def notes(self) -> list[str]:
        """What a reader must know of how the updates went."""
        return [*self.revision.trainer.notes, *(self.stopping.notes if self.stopping else ())]

    def _kept(self) -> dict[str, Any] | None:
        """Return the state that a killed run kept of its steps, once every process has read it."""
        if distributed.is_main_process():
            self.checkpoints.begin()
        state = self.checkpoints.kept_state(UPDATES)
        distributed.wait()
        return state

    def _prepare(self, state: dict[str, Any] | None) -> None:
        """Let the method prepare itself on the original weights; what was found already is not searched again."""
        revision, method = self.revision, self.revision.trainer.method
        found = state or self.checkpoints.kept_state(self._search_name)
        if found:
            method.load_state_dict(found["method"])
            self.seconds["preparation"] = found["seconds"]["preparation"]
        before, started = self.seconds["preparation"], time.perf_counter()

        def keep() -> None:
            self.seconds["preparation"] = before + time.perf_counter() - started
            if self._is_due():
                self.checkpoints.keep_state(
                    self._search_name, {"method": method.state_dict(), "seconds": dict(self.seconds)}
                )

        method.prepare(
            MethodContext(
                network=revision.network,
                forget=revision.subsets["forget", "train"],
                pixel_space=revision.pixel_space,
                device=revision.device,
                seed=revision.seed,
                rank=distributed.rank(),
                world_size=distributed.world_size(),
                all_reduce_sum=distributed.all_reduce_sum,
                checkpoint=keep,
            )
        )
        self.seconds["preparation"] = before + time.perf_counter() - started

    def _go_on(self, state: dict[str, Any]) -> None:
        """Take up the steps where a killed run was."""
        revision = self.revision
        folder = self.checkpoints.kept(UPDATES)
        if folder is None:
            raise AssertionError("its state was read a moment ago")
        load_weights(revision.network, folder / WEIGHTS)
        revision.trainer.optimizer.load_state_dict(state["optimizer"])
        revision.trainer.load_state_dict(state["trainer"])
        set_random_state(state["random"])
        self.seconds["updates"] = state["seconds"]["updates"]
        self._good_step = state["trainer"]["step"]
        self.resumed_at = [*state["resumed_at"], self._good_step]
        if distributed.is_main_process():
            print(  # noqa: T201 - whoever starts a run again wants to see that it goes on
                f"Going on from step {self._good_step} of {revision.trainer.total_steps}.", file=sys.stderr
            )

    def _train(self) -> None:
        revision, trainer = self.revision, self.revision.trainer
        before, started = self.seconds["updates"], time.perf_counter()
        self.stopping = Stopping(
            rule=revision.stop_rule(),
            subsets=revision.subsets,
            network=revision.network,
            device=revision.device,
            reference=self.reference.network if self.reference else None,
            every=revision.eval_interval,
            view=revision.glance,
            before=before,
        )
        self.stopping.attach(trainer)

        def keep(_engine: Engine) -> None:
            self.seconds["updates"] = before + time.perf_counter() - started
            if distributed.is_main_process() and (self._is_due() or trainer.is_over):
                self._keep()

        trainer.add_event_handler(Events.ITERATION_COMPLETED, keep)
        try:
            trainer.run()
            check_finite(revision.network)
        except TrainingError as error:
            kept = "" if self._good_step is None else self._where_kept()
            raise TrainingError(f"{error}{kept}") from error
        self.seconds["updates"] = before + time.perf_counter() - started

    def _keep(self) -> None:
        """Keep weights that are good, and all that the next steps follow from."""
        revision, trainer = self.revision, self.revision.trainer
        check_finite(revision.network)
        state = {
            "optimizer": trainer.optimizer.state_dict(),
            "method": trainer.method.state_dict(),
            "trainer": trainer.state_dict(),
            "random": random_state(),
            "seconds": dict(self.seconds),
            "resumed_at": self.resumed_at,
        }

        def write(folder: Path) -> None:
            save_weights(revision.network, folder / WEIGHTS)
            torch.save(state, folder / STATE)

        self.checkpoints.keep(UPDATES, write)
        self._good_step = trainer.state.iteration

    def _is_due(self) -> bool:
        """Say whether enough time has gone by since something was kept."""
        now = time.perf_counter()
        due = now - self._kept_at >= self.revision.checkpoint_seconds
        if due:
            self._kept_at = now
        return due

    def _where_kept(self) -> str:
        folder = self.checkpoints.kept(UPDATES)
        return f" The last good checkpoint, of step {self._good_step}, is kept in {folder}." if folder else ""

    @property
    def _search_name(self) -> str:
        return f"search-{distributed.rank()}"
