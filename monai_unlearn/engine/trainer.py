"""The engine that runs a method: a MONAI trainer over paired batches."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Events
from monai.data import MetaTensor
from monai.engines import SupervisedTrainer
from torch import Tensor, nn

from monai_unlearn.engine import distributed
from monai_unlearn.engine.memory import in_micro_batches, is_out_of_memory, smallest_part
from monai_unlearn.engine.phases import Phase, Phases
from monai_unlearn.engine.running_accuracy import RunningAccuracy
from monai_unlearn.errors import ConfigError, DataError, TrainingError
from monai_unlearn.methods.low_precision import channels_last

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch.optim import Optimizer

    from monai_unlearn.data import PairedLoader
    from monai_unlearn.methods import Method
    from monai_unlearn.methods.base import PhaseName

FIRST_HALVES = 2
MOMENTUM = frozenset({"exp_avg", "momentum_buffer"})  # as torch's Adam and SGD, and what derives from them, call it
PICTURES = 4  # dimensions: batch, channel, height, width


class UnlearnTrainer(SupervisedTrainer):
    """Runs one iterative method over a `PairedLoader`, a step a batch.

    It is a MONAI trainer: handlers of MONAI and Ignite attach to it, `--tracking mlflow` sees it, and
    `state.output` holds `loss`. The method must have been prepared. On CUDA the step runs under automatic
    mixed precision in channels-last memory; on the CPU too where the method has found that safe.

    How long it runs, `phases` say, or else `steps`, or else `max_epochs`. Where memory runs out, the batch is
    worked through in pieces, whose gradients are added. Several processes share every batch.

    Args:
        device: Where to compute.
        max_epochs: Passes over the forget images.
        train_data_loader: The paired batches.
        network: The network to revise, on the device, with logits of shape (batch, class).
        optimizer: Its optimiser.
        method: The unlearning method.
        train_handlers: MONAI handlers.
        amp: Mixed precision; by default where the device is CUDA, and on the CPU where the method has seen that its
            bfloat16 reads forget images as float32 does.
        steps: Updates, at least 1.
        phases: Arguments of `Phase`, one after the other, which set the learning rate.
        max_gradient_norm: Longest gradient that a step takes, in the Euclidean norm over all weights; longer ones are
            shortened. What is relabelled starts with a loss far above that of images that the network knows.
    """

    def __init__(  # noqa: PLR0913 - a config names each of these
        self,
        *,
        device: str | torch.device,
        train_data_loader: PairedLoader,
        network: nn.Module,
        optimizer: Optimizer,
        method: Method,
        max_epochs: int | None = None,
        train_handlers: Sequence[Any] | None = None,
        amp: bool | None = None,
        steps: int | None = None,
        phases: Sequence[Phase | Mapping[str, Any]] | None = None,
        max_gradient_norm: float | None = None,
    ) -> None:
        on_cuda = torch.device(device).type == "cuda"
        self.phases = Phases(phases) if phases else None
        self._planned = _planned(self.phases, steps, max_epochs, len(train_data_loader))
        super().__init__(
            device=torch.device(device),
            max_epochs=math.ceil(self._planned / len(train_data_loader)),
            train_data_loader=train_data_loader,
            network=channels_last(network) if on_cuda else network,
            optimizer=optimizer,
            loss_function=method.loss,
            amp=False,  # what MONAI adds by it is a scaler, which bfloat16 has no need of
            decollate=False,
        )
        self.method = method
        self.loader = train_data_loader
        self._amp_asked = amp
        self.in_bfloat16 = on_cuda if amp is None else amp
        self.max_gradient_norm = max_gradient_norm
        self.images_seen = 0
        self.micro_batches = 1
        self.skipped = 0
        self.paused = False
        self.next_evaluation, self.evaluation_gap = 1, 1
        self.ended_by: str | None = None
        self.phase_ends: list[dict[str, Any]] = []
        self.classes: int | None = None
        self.notes: list[str] = []
        self.watch = RunningAccuracy()
        self._batches = train_data_loader.batches()
        self.add_event_handler(Events.ITERATION_COMPLETED, UnlearnTrainer._end_in_time)
        self._register_handlers(train_handlers or ())

    @property
    def total_steps(self) -> int:
        """Updates of the whole run, as far as is known by now."""
        return self._planned - self.skipped

    @property
    def is_over(self) -> bool:
        """Whether the latest step was the last one."""
        return self.ended_by is not None or self.state.iteration >= self.total_steps

    @property
    def phase(self) -> str:
        """The phase of the latest step."""
        return self._at(max(self.state.iteration - 1, 0))[0]

    def run(self) -> None:
        """Run what is still to be run, from the step that the state names on.

        Raises:
            TrainingError: The loss stopped being finite, memory does not do, or another process ended.
        """
        agrees = distributed.broadcast(float(self.method.agrees_in_bfloat16), self.state.device)
        if self._amp_asked is None and agrees:
            # Of a run that is over as well: what is still done with the network rounds by the layout of its weights.
            self.in_bfloat16 = True
            channels_last(self.network)
        if self.is_over:
            return
        self._batches = self.loader.batches(
            start=self.state.iteration,
            parts_of=self._parts_of,
            rank=distributed.rank(),
            world_size=distributed.world_size(),
        )
        self.data_loader = self._batches
        try:
            super().run()
        finally:
            self._batches.restart()

    def end_phase(self, by: str) -> None:
        """Go on with the next repair phase; where none is to come, end the run.

        Args:
            by: What ends the phase, for the record.
        """
        latest = self.state.iteration - 1 + self.skipped
        repair = self.phases.repair_after(latest) if self.phases else None
        if repair is None:
            self.end(by)
            return
        self.skipped = repair - self.state.iteration
        self.phase_ends.append({"step": self.state.iteration, "by": by})
        self._batches.restart()

    def pause(self, *, paused: bool) -> None:
        """Leave the forget images alone from the next step on, or take them up again.

        A pause drops what the optimiser's momentum still holds of them: the next steps would go on forgetting.
        """
        if paused and not self.paused:
            for state in self.optimizer.state.values():
                for name in MOMENTUM & state.keys():
                    if state[name] is not None:
                        state[name].zero_()
        self.paused = paused

    def end(self, by: str) -> None:
        """End the run after this step."""
        self.ended_by = by
        self.terminate()

    def state_dict(self) -> dict[str, Any]:
        """Return how far the run is, as plain values, for `go_on`."""
        return {
            "step": self.state.iteration,
            "skipped": self.skipped,
            "paused": self.paused,
            "next_evaluation": self.next_evaluation,
            "evaluation_gap": self.evaluation_gap,
            "images_seen": self.images_seen,
            "micro_batches": self.micro_batches,
            "ended_by": self.ended_by,
            "phase_ends": list(self.phase_ends),
            "notes": list(self.notes),
        }

    def load_state_dict(self, progress: Mapping[str, Any]) -> None:
        """Take up a run where `progress` left it."""
        self.state.iteration = progress["step"]
        self.state.epoch = progress["step"] // self.state.epoch_length
        for name in (
            "skipped",
            "paused",
            "next_evaluation",
            "evaluation_gap",
            "images_seen",
            "micro_batches",
            "ended_by",
            "phase_ends",
            "notes",
        ):
            setattr(self, name, progress[name])

    def _at(self, step: int) -> tuple[PhaseName, float | None]:
        """Return phase and learning rate of a step, from 0."""
        if self.phases is None:
            return "forget", None
        phase, within = self.phases.at(step + self.skipped)
        return phase.name, phase.rate(within)

    def _parts_of(self, step: int) -> tuple[str, ...]:
        return ("remain",) if self._at(step)[0] == "repair" else ("forget", "remain")

    def _end_in_time(self) -> None:
        """End within an epoch where the plan does."""
        if self.state.iteration >= self.total_steps < self.state.max_epochs * self.state.epoch_length:
            self.terminate()

    def _iteration(self, engine: Any, batchdata: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401, ARG002 - MONAI's signature
        """Take one step; the parent class makes this Ignite's process function."""
        phase, rate = self._at(self.state.iteration - 1)
        self.method.phase = "repair" if self.paused else phase
        if rate is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = rate
        self._check_labels(batchdata)
        self.method.set_mode()
        loss = self._gradients(batchdata)
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {self.state.iteration}; no result was written. A smaller learning rate "
                "(--learning_rate) or remain_weight usually mends this."
            )
        if self.max_gradient_norm is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.max_gradient_norm)
        self.optimizer.step()
        images = sum(len(batchdata[part]["image"]) for part in self.method.parts if part in batchdata)
        self.images_seen += images * distributed.world_size()
        return {"loss": loss}

    def _check_labels(self, batch: Mapping[str, Any]) -> None:
        """Refuse a label that is no class, before a GPU stops answering over it."""
        for part, items in batch.items():
            low, high = int(items["label"].min()), int(items["label"].max())
            if low < 0 or (self.classes is not None and high >= self.classes):
                raise DataError(
                    f"a {part} image of step {self.state.iteration} has class number {low if low < 0 else high}; the "
                    f"network has classes 0 to {self.classes - 1 if self.classes else 'unknown'}. Labels and "
                    "class_names disagree."
                )

    def _gradients(self, batch: Mapping[str, Any]) -> float:
        """Set the gradients of a batch, in as many pieces as memory asks for, and return its loss."""
        while True:
            self.optimizer.zero_grad(set_to_none=True)
            try:
                loss = sum(self._gradients_of(piece) for piece in in_micro_batches(batch, self.micro_batches))
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(batch, error)
        gradients = [weight.grad for weight in self.network.parameters() if weight.grad is not None]
        loss = distributed.average(loss, gradients, self.state.device)
        if self.method.batch_norm != "frozen":
            buffers = [buffer for buffer in self.network.buffers() if buffer.is_floating_point()]
            distributed.average(loss, buffers, self.state.device)
        return loss

    def _gradients_of(self, piece: Mapping[str, Any]) -> float:
        on_device = {part: self._to_device(items) for part, items in piece.items()}
        # bfloat16 keeps float32's range, so that no gradient needs scaling.
        with (
            self.watch.over(self.network, on_device),
            torch.autocast(self.state.device.type, dtype=torch.bfloat16, enabled=self.in_bfloat16),
        ):
            loss = self.method.loss(on_device) / self.micro_batches
        loss.backward()  # type: ignore[no-untyped-call]  # torch's stubs lack it
        return float(loss.detach())

    def _halve(self, batch: Mapping[str, Any], error: BaseException) -> None:
        """Try again with pieces half as large, and say so the first time."""
        if 2 * self.micro_batches > smallest_part(batch):
            raise TrainingError(
                f"memory does not do for a batch in {self.micro_batches} pieces, and smaller ones there are none. Give "
                "smaller pictures (--image_size), a smaller --remain_batch_size, or another --device."
            ) from error
        self.micro_batches *= 2
        if self.state.device.type == "cuda":
            torch.cuda.empty_cache()
        if self.micro_batches == FIRST_HALVES:
            note = f"Memory ran out at step {self.state.iteration}: batches are worked through in pieces from there on."
            self.notes.append(note)
            print(note, file=sys.stderr)  # noqa: T201 - a run says at once what it changes

    def _placed(self, value: Tensor) -> Tensor:
        if self.in_bfloat16 and value.ndim == PICTURES:
            return value.to(self.state.device, memory_format=torch.channels_last)
        return value.to(self.state.device)

    def _to_device(self, items: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: self._placed(_plain(value)) if isinstance(value, Tensor) else value for key, value in items.items()
        }


def _planned(phases: Phases | None, steps: int | None, max_epochs: int | None, epoch_length: int) -> int:
    """Return the updates that a config asks for."""
    if phases is not None:
        return phases.steps
    asked = steps if steps is not None else max_epochs
    if not isinstance(asked, int) or asked < 1:
        raise ConfigError(
            f"how long to run: expected phases, steps or max_epochs of at least 1, got steps {steps} and "
            f"max_epochs {max_epochs}."
        )
    return asked if steps is not None else asked * epoch_length


def _plain(value: Tensor) -> Tensor:
    """Drop MONAI's metadata, whose bookkeeping costs more than a small network's step."""
    return value.as_tensor() if isinstance(value, MetaTensor) else value


def check_finite(network: nn.Module) -> None:
    """Refuse weights that are not finite.

    Raises:
        TrainingError: A parameter or buffer holds NaN or infinity; named.
    """
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise TrainingError(f"after unlearning, '{name}' is not finite; no result was written.")
