"""A MONAI trainer that runs an unlearning method over paired batches."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Events
from monai.data import MetaTensor
from monai.engines import SupervisedTrainer
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from monai_unlearn.engine import distributed
from monai_unlearn.engine.guards import check_labels
from monai_unlearn.engine.memory import in_micro_batches, is_out_of_memory, smallest_part
from monai_unlearn.engine.phases import Phase, Phases, planned_steps
from monai_unlearn.engine.running_accuracy import RunningAccuracy
from monai_unlearn.errors import TrainingError
from monai_unlearn.methods.base import FORWARD_PASS
from monai_unlearn.methods.low_precision import channels_last
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from torch.optim import Optimizer

    from monai_unlearn.data import PairedLoader
    from monai_unlearn.engine.budget import Budget
    from monai_unlearn.methods import Method
    from monai_unlearn.methods.base import PhaseName

MOMENTUM = frozenset({"exp_avg", "momentum_buffer"})  # the names in torch's Adam and SGD, and in what derives from them
IMAGE_BATCH_DIMENSIONS = 4  # batch, channel, height, width
# What a run carries in `state`, beside Ignite's own entries, and what each entry is at the start of a run.
PROGRESS: Mapping[str, Any] = MappingProxyType(
    {
        "skipped": 0,  # planned steps that an early end of the forget phase leaves out
        "paused_classes": (),  # classes whose forget images the steps leave out for now
        "images_seen": 0,  # gradients of single images that the steps have taken
        "images_passed": 0,  # single images that the steps have passed through a network without a gradient
        "micro_batches": 1,  # into which each batch is split, so that it fits into memory
        "ended_by": None,  # the condition that ended the run early
        "saved": 0.0,  # gradients that steps took less than planned, since classes were paused
        "evaluations": 0,  # evaluations on the way
        "prepared": None,  # gradients that preparing the method took, with its forward passes; None if unknown
        "phase_ends": (),  # `{"step", "by"}` of each phase that ended early
        "notes": (),  # what a reader of the results must know
    }
)


class UnlearnTrainer(SupervisedTrainer):
    """Runs one iterative method over a `PairedLoader`; one step is one batch.

    Handlers of MONAI and Ignite attach to it, `--tracking mlflow` records it, and `state.output` is `[{"loss": …}]`.
    Call the method's `prepare` before the first step. Steps run in bfloat16 under autocast and in channels-last memory:
    on CUDA by default, on the CPU where the method has found bfloat16 safe.

    `phases` set the length of the run, or else `steps`, or a budget (`keep_to`), or else `max_epochs`; a one-shot
    method takes no step.
    When memory runs out, the batch is split into micro-batches whose gradients are added. In a distributed run, each
    process takes a share of every batch.

    `state` holds how far the run is, in the entries that `PROGRESS` names; Ignite's `state_dict` and
    `load_state_dict` carry them to another process.

    Args:
        device: Where to compute.
        max_epochs: Passes over the forget images.
        train_data_loader: The paired batches.
        network: The network to revise, on the device, with logits of shape (batch, class).
        optimizer: Its optimiser.
        method: The unlearning method.
        train_handlers: MONAI handlers.
        amp: Whether to use bfloat16; by default on CUDA, and on the CPU where the method has seen that the network
            predicts the same classes for forget images in bfloat16 as in float32.
        steps: Updates, at least 1.
        phases: The run's phases in order, each a `Phase` or its arguments; they set the learning rate.
        max_gradient_norm: Clip gradients to this Euclidean norm over all weights. Relabelled images start with a loss
            far above that of images that the network has learnt.
        training_loss: The loss that the network was trained with, for methods that train on as before.

    Raises:
        ConfigError: The length of the run is not given, or below 1.
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
        training_loss: Callable[[Tensor, Tensor], Tensor] = cross_entropy,
    ) -> None:
        on_cuda = torch.device(device).type == "cuda"
        self.phases = Phases(phases) if phases else None
        self.budget: Budget | None = None
        self._has_steps = steps is not None
        self._planned = (
            0
            if method.one_shot
            else planned_steps(self.phases, steps=steps, max_epochs=max_epochs, epoch_length=len(train_data_loader))
        )
        super().__init__(
            device=torch.device(device),
            max_epochs=max(1, math.ceil(self._planned / len(train_data_loader))),
            train_data_loader=train_data_loader,
            network=channels_last(network) if on_cuda else network,
            optimizer=optimizer,
            loss_function=method.loss,
            amp=False,  # it would add a gradient scaler, which bfloat16 does not need
            decollate=False,
        )
        self.method = method
        self.loader = train_data_loader
        self._amp = amp
        self.in_bfloat16 = on_cuda if amp is None else amp
        self.max_gradient_norm = max_gradient_norm
        self.training_loss = training_loss
        self.classes: int | None = None
        self.running_accuracy = RunningAccuracy()
        for name, value in PROGRESS.items():
            setattr(self.state, name, value)
            self.state_dict_user_keys.append(name)
        self._batches = train_data_loader.batches()
        self.add_event_handler(Events.ITERATION_COMPLETED, UnlearnTrainer._end_within_epoch)
        self.train_handlers = tuple(train_handlers or ())
        self._register_handlers(self.train_handlers)

    @property
    def total_steps(self) -> int:
        """Updates of the whole run, as planned now."""
        if self.budget is None:
            return self._planned - int(self.state.skipped)
        return self.budget.total_steps(done=self.state.iteration, spent=self._spent, prepared=self.state.prepared)

    @property
    def planned_steps(self) -> int:
        """Updates of the whole run, as planned before its first step."""
        return self._planned if self.budget is None else self.budget.steps

    @property
    def takes_a_budget(self) -> bool:
        """Whether a budget may set the length of the run: neither its phases nor `steps` do."""
        return self.phases is not None and self.phases.steps is None and not self._has_steps

    def keep_to(self, budget: Budget) -> None:
        """Let a budget set the length of the run, before its first step."""
        self.budget = budget
        # The run ends within the budget; epochs are not to end it before.
        self.state.max_epochs = math.ceil(2 * budget.steps / len(self.loader)) + 1

    @property
    def affords_evaluation(self) -> bool:
        """Whether the budget pays for an evaluation now, and for a step after it."""
        return self.budget is None or self.budget.affords_evaluation(spent=self._spent, prepared=self.state.prepared)

    @property
    def _spent(self) -> float:
        """What steps and evaluations took of the budget, in gradient evaluations."""
        if self.budget is None:
            return 0.0
        steps = self.state.iteration * self.budget.step - self.state.saved
        return float(steps + self.state.evaluations * self.budget.evaluation)

    @property
    def is_over(self) -> bool:
        """Whether the latest step was the last one."""
        return self.state.ended_by is not None or self.state.iteration >= self.total_steps

    @property
    def phase(self) -> str:
        """The phase of the latest step."""
        return self._at(max(self.state.iteration - 1, 0))[0]

    def run(self) -> None:
        """Run the steps that are left, from the one that `state` names on.

        Raises:
            TrainingError: The loss stopped being finite, memory ran out, or another process ended.
        """
        agrees = distributed.broadcast(float(self.method.agrees_in_bfloat16), self.state.device)
        if self._amp is None and agrees:
            # Set even when the run is over: later computations round according to the layout of the weights.
            self.in_bfloat16 = True
            channels_last(self.network)
        if self.is_over:
            return
        self._batches = self.loader.batches(
            start=self.state.iteration,
            parts_of=self._parts_of,
            rank=distributed.rank(),
            world_size=distributed.world_size(),
            without=lambda: self.state.paused_classes,
        )
        self.data_loader = self._batches
        try:
            super().run()
        finally:
            self._batches.restart()

    def end_phase(self, by: str) -> None:
        """Continue with the next repair phase; if there is none, end the run.

        Args:
            by: The condition that ends the phase, for the record.
        """
        latest = self.state.iteration - 1 + self.state.skipped
        repair = self.phases.repair_after(latest) if self.phases else None
        if repair is None:
            self.end(by)
            return
        self.state.skipped = repair - self.state.iteration
        self.state.phase_ends = (*self.state.phase_ends, {"step": self.state.iteration, "by": by})
        self._batches.restart()

    @property
    def forget_classes(self) -> tuple[int, ...]:
        """The classes of the forget images."""
        return self.loader.forget_classes

    @property
    def paused(self) -> bool:
        """Whether steps leave out all forget images for now."""
        return bool(self.state.paused_classes) and self.state.paused_classes == self.forget_classes

    def pause(self, classes: Collection[int]) -> None:
        """Leave the forget images of these classes out from the next step on, and take those of all others in.

        A batch is as large as before, as long as a class is left. A class that leaves clears the optimiser's momentum,
        which would otherwise continue to forget it for some steps.

        Args:
            classes: Class numbers; those of no forget image do not matter.
        """
        before, after = self.state.paused_classes, tuple(sorted({*classes} & {*self.forget_classes}))
        if {*after} - {*before}:
            for state in self.optimizer.state.values():
                for name in MOMENTUM & state.keys():
                    if state[name] is not None:
                        state[name].zero_()
        if after != before:
            self.state.paused_classes = after
            self._batches.restart()

    def end(self, by: str) -> None:
        """End the run after this step.

        Args:
            by: The condition that ends it, for the record.
        """
        self.state.ended_by = by
        self.terminate()

    def _at(self, step: int) -> tuple[PhaseName, float | None]:
        """Return phase and learning rate of a step, from 0."""
        if self.phases is None:
            return "forget", None
        phase, within = self.phases.at(step + self.state.skipped)
        return phase.name, phase.rate(within, of=phase.steps or self.total_steps)

    def _parts_of(self, step: int) -> tuple[str, ...]:
        remain_only = self._at(step)[0] == "repair" or not self.method.needs_forget or self.paused
        return ("remain",) if remain_only else ("forget", "remain")

    def _end_within_epoch(self) -> None:
        """End the run inside an epoch where the plan says so; Ignite itself counts whole epochs."""
        if self.state.iteration >= self.total_steps < self.state.max_epochs * self.state.epoch_length:
            self.terminate()

    def _iteration(self, engine: Any, batchdata: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: ANN401, ARG002 - MONAI's signature
        """Take one step; MONAI makes this Ignite's process function."""
        phase, rate = self._at(self.state.iteration - 1)
        self.method.phase = "repair" if self.paused else phase
        self.method.done = (self.state.iteration - 1) / self.total_steps
        if rate is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = rate
        check_labels(batchdata, classes=self.classes, step=self.state.iteration)
        self.method.set_mode()
        loss = self._gradients(batchdata)
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {self.state.iteration}; no result was written. A smaller learning rate "
                "(--learning_rate) or remain_weight usually fixes this."
            )
        self.method.adjust_gradients()
        if self.max_gradient_norm is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.max_gradient_norm)
        self.optimizer.step()
        self.method.after_step()
        self._count(batchdata, paused=self.paused and phase == "forget")
        # As MONAI's own trainers give it to handlers: a list with an item per image, in each of which the loss stands.
        return [{"loss": loss}]

    def _count(self, batch: Mapping[str, Any], *, paused: bool) -> None:
        """Count what a step took, and how much less than planned where all classes are paused."""
        seen, passed = (
            distributed.world_size() * sum(len(batch[part]["image"]) for part in parts if part in batch)
            for parts in (self.method.parts, self.method.taught)
        )
        self.state.images_seen += seen
        self.state.images_passed += passed
        # A step that would have used no forget image anyway saves nothing.
        self.method.phase, phase = "forget", self.method.phase
        uses_forget = "forget" in self.method.parts
        self.method.phase = phase
        if self.budget is not None and paused and uses_forget:
            self.state.saved += self.budget.step - seen - FORWARD_PASS * passed

    def _gradients(self, batch: Mapping[str, Any]) -> float:
        """Set the gradients of a batch, in as many micro-batches as memory needs, and return its loss."""
        while True:
            self.optimizer.zero_grad(set_to_none=True)
            try:
                loss = sum(self._gradients_of(part) for part in in_micro_batches(batch, self.state.micro_batches))
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._split_further(batch, error)
        if distributed.world_size() == 1:
            return loss
        gradients = [weight.grad for weight in self.network.parameters() if weight.grad is not None]
        loss = distributed.average(loss, gradients, self.state.device)
        if self.method.batch_norm != "frozen":
            buffers = [buffer for buffer in self.network.buffers() if buffer.is_floating_point()]
            distributed.average(loss, buffers, self.state.device)
        return loss

    def _gradients_of(self, micro_batch: Mapping[str, Any]) -> float:
        """Add the gradients of a micro-batch to those of the ones before, and return its share of the loss."""
        on_device = {part: self._to_device(items) for part, items in micro_batch.items()}
        # bfloat16 has the range of float32, so that no gradient needs scaling.
        with (
            self.running_accuracy.over(self.network, on_device),
            torch.autocast(self.state.device.type, dtype=torch.bfloat16, enabled=self.in_bfloat16),
        ):
            loss: Tensor = self.method.loss(on_device) / self.state.micro_batches
        loss.backward()  # type: ignore[no-untyped-call]  # torch's stubs lack it
        return float(loss.detach())

    def _split_further(self, batch: Mapping[str, Any], error: BaseException) -> None:
        """Double the number of micro-batches; report it the first time."""
        if 2 * self.state.micro_batches > smallest_part(batch):
            raise TrainingError(
                f"Out of memory even with {self.state.micro_batches} micro-batches; the batch cannot be split further. "
                "Use smaller images (--image_size), a smaller --remain_batch_size, or another --device."
            ) from error
        if self.state.micro_batches == 1:
            note = f"Memory ran out at step {self.state.iteration}: batches are split into micro-batches from there on."
            self.state.notes = (*self.state.notes, note)
            say(note, err=True)  # you see at once that the run got slower
        self.state.micro_batches *= 2
        if self.state.device.type == "cuda":
            torch.cuda.empty_cache()

    def _placed(self, value: Tensor) -> Tensor:
        if self.in_bfloat16 and value.ndim == IMAGE_BATCH_DIMENSIONS:
            return value.to(self.state.device, memory_format=torch.channels_last)
        return value.to(self.state.device)

    def _to_device(self, items: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: self._placed(_plain(value)) if isinstance(value, Tensor) else value for key, value in items.items()
        }


def _plain(value: Tensor) -> Tensor:
    """Drop MONAI's metadata; keeping track of it takes longer than a step of a small network."""
    return value.as_tensor() if isinstance(value, MetaTensor) else value
