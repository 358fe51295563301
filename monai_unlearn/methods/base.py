"""The interface between a method and the engine: `prepare` once, then a `loss` at every step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError, check_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torch.utils.data import Dataset

    from monai_unlearn.methods.pixel_space import PixelSpace

BatchNormMode = Literal["frozen", "remain", "mixed", "published"]
BATCH_NORM_MODES = ("frozen", "remain", "mixed", "published")
PhaseName = Literal["forget", "repair"]
# What a forward pass of an image costs, in gradient evaluations: the backward pass takes about two forward passes.
FORWARD_PASS = 1 / 3


def _no_checkpoint() -> None:
    """Save nothing."""


def _sum_of_one_process(tensor: Tensor) -> Tensor:
    return tensor


@dataclass(frozen=True, kw_only=True)
class StepSettings:
    """How the steps of a method are taken, unless a config says otherwise.

    Args:
        learning_rate: The peak rate, as a multiple of training's own.
        warm_up: Share of the steps over which the rate rises to its peak, in [0, 1).
        batch_size: Forget images per batch, at least 1.
        remain_batch_size: Remain images per batch, at least 1.
        as_training: Whether training's own optimiser, loss and augmentation (of remain images) are used; otherwise
            Adam, the plain cross entropy, and no augmentation.
    """

    learning_rate: float = 1.0
    warm_up: float = 0.1
    batch_size: int = 4
    remain_batch_size: int = 12
    as_training: bool = True


class Judge(Protocol):
    """Says how good a network is by validation images alone; smaller is better.

    Attributes:
        formula: By what, in words.
        images_passed: Single images passed through a network so far, to count costs.
    """

    formula: str
    images_passed: int

    def __call__(self, network: nn.Module) -> float:
        """Return how good a network is, as it would be delivered; infinite where an output is not finite."""


@dataclass(frozen=True, kw_only=True)
class MethodContext:
    """What a method is given before the first step.

    Args:
        network: The network to revise, on its device, with the original weights.
        forget: The forget part's training items: `image` (channel, *spatial), `label`, `row`.
        remain: The remain part's training items, of the same form; None where the method is prepared without them.
        training_loss: The loss that the network was trained with, from logits (batch, class) and labels (batch,).
        pixel_space: How inputs are computed from pixels.
        device: Where to compute.
        seed: Seeds every draw of the method.
        rank: Number of this process, from 0. Where `prepare` works in chunks, this process takes the chunks `rank`,
            `rank + world_size`, …, whose draws depend on the seed and the image alone.
        world_size: Number of processes.
        all_reduce_sum: Sums a tensor over all processes, each of which must call it.
        checkpoint: To be called after each chunk, so that a killed run can resume from `Method.state_dict`.
        validation: Images that the original was not trained on, by part, of the same form as `forget`; a part that has
            none is left out.
        snapshots: Weights that training kept on its way, the earliest first; empty where it kept none.
        remain_labels: The class of each of `remain`, in order, known without reading the images; empty where only the
            images tell.
        parents: State dicts of the networks to compose, on the CPU; empty where the run composes none.
        judge: Says how good a network is; None where nothing says so, and in processes other than the main one.
    """

    network: nn.Module
    forget: Dataset[Any]
    pixel_space: PixelSpace
    device: torch.device
    seed: int
    remain: Dataset[Any] | None = None
    training_loss: Callable[[Tensor, Tensor], Tensor] = cross_entropy
    rank: int = 0
    world_size: int = 1
    all_reduce_sum: Callable[[Tensor], Tensor] = _sum_of_one_process
    checkpoint: Callable[[], None] = _no_checkpoint
    validation: Mapping[str, Dataset[Any]] = field(default_factory=dict)
    snapshots: Sequence[Path] = ()
    remain_labels: Sequence[int] = ()
    parents: Sequence[Mapping[str, Tensor]] = ()
    judge: Judge | None = None


class Method(ABC):
    """An unlearning method that takes steps; `OneShot` takes none.

    Args:
        batch_norm: How BatchNorm runs while weights change. `frozen` uses the original running statistics. `remain`
            runs it in train mode on remain images, which the running statistics follow, and uses the running
            statistics on the forget images of the same step. `mixed` runs it in train mode on both parts as one batch,
            in which forget images should be few. `published` runs it in train mode on every batch, as the code of
            arXiv 2505.21872 does; that alone makes a network appear to have forgotten.

    Raises:
        ConfigError: `batch_norm` is none of these.
    """

    phase: PhaseName = "forget"
    """The phase of the current step: `forget`, or `repair`, whose batches have no `forget`. The engine sets it."""

    steps: StepSettings = StepSettings()
    """How the steps are taken, unless a config says otherwise."""

    needs_forget: ClassVar[bool] = True
    """Whether steps use the forget images; if not, they are not read."""

    one_shot: ClassVar[bool] = False
    """Whether `prepare` does all, and no step follows."""

    prepares_later: ClassVar[bool] = False
    """Whether part of what `gradients_to_prepare` plans happens within the steps, and not in `prepare`."""

    done: float = 0.0
    """How much of the steps is taken before the current one, in [0, 1). The engine sets it."""

    ground: str = ""
    """Why the method was chosen for the cohort, as `default_for` says; empty where somebody named it."""

    replacement: nn.Module | None = None
    """A network that takes the place of the one to revise once the method is prepared; None keeps it."""

    network: nn.Module

    def __init__(self, *, batch_norm: BatchNormMode = "frozen") -> None:
        check_choice(batch_norm, BATCH_NORM_MODES, name="batch_norm")
        self.batch_norm = batch_norm

    def prepare(self, context: MethodContext) -> None:
        """Do what is done once, before the first step; the base class stores the network to revise.

        A resumed run calls `load_state_dict` first; what that restored is not computed again.
        """
        self.network = context.network

    def state_dict(self) -> dict[str, Any]:
        """Return what the method has computed so far, beside the weights: tensors and plain values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; called before `prepare`.

        Raises:
            ConfigError: The state is another method's.
        """
        if state:
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))}, but {type(self).__name__} keeps nothing. "
                "Delete the checkpoint to start from scratch."
            )

    def peak_rate(self, share: float | None) -> float:  # noqa: ARG002 - not all ask for the budget
        """Return the peak rate of the steps, as a multiple of training's own.

        Args:
            share: The share of retraining's gradients that the run takes; None if nobody set a budget.
        """
        return self.steps.learning_rate

    @abstractmethod
    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the scalar to minimise for one batch of a `PairedLoader`, which is on the device already."""

    def adjust_gradients(self) -> None:  # noqa: B027 - most methods change nothing
        """Change the gradients of a step, summed over all processes, before the optimiser uses them; the base does not.

        What depends on chance must depend on the seed alone, so that every process does the same.
        """

    def after_step(self) -> None:  # noqa: B027 - most methods change nothing
        """Change the weights after the optimiser did, the same way in every process; the base does not."""

    def finish(self) -> None:  # noqa: B027 - most methods change nothing
        """Change the network once, after the last step; the base does not.

        A run that resumes after its last step calls it again, on the weights that this step left.
        """

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a batch whose images `loss` takes gradients on, to count costs."""
        return ("forget", "remain")

    def gradients_a_step(self, *, forget: int, remain: int) -> float:
        """Return what a step costs on average, in gradient evaluations, to plan a run.

        By default a gradient for each image of `parts`, and a forward pass for each of `taught`. A method whose `parts`
        change from step to step says the mean.

        Args:
            forget: Forget images in a batch.
            remain: Remain images in a batch.
        """
        images = {"forget": forget, "remain": remain}
        return sum(images[part] for part in self.parts) + FORWARD_PASS * sum(images[part] for part in self.taught)

    @property
    def taught(self) -> tuple[str, ...]:
        """The parts of a batch whose images `loss` also passes through another network, to count costs."""
        return ()

    @property
    def gradient_evaluations(self) -> int:
        """Gradients of single images taken outside `loss` so far, to count costs."""
        return 0

    @property
    def forward_passes(self) -> int:
        """Single images passed through a network outside `loss` so far, without a gradient, to count costs."""
        return 0

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """Return the most that `prepare` will cost, in gradient evaluations, to plan a run.

        Args:
            forget: Number of forget training images.
            remain: Number of remain training images.
            validation: Number of validation images, of both parts.
        """
        return 0

    @property
    def agrees_in_bfloat16(self) -> bool:
        """Whether the original network was tried in bfloat16 and predicted forget images as in float32.

        If so, the trainer takes its steps in bfloat16 too.
        """
        return False

    @property
    def record(self) -> dict[str, Any]:
        """What the method decided by itself in this run, and on what evidence: plain values for the run's record."""
        return {}

    @property
    def decided(self) -> str:
        """The same in a sentence, for people; empty where it decided nothing."""
        return ""

    def write_diagnostics(self, folder: Path) -> list[Path]:  # noqa: ARG002 - for methods that have some
        """Write diagnostics of the method into a folder, which is created; return the files. The base has none."""
        return []

    def set_mode(self) -> None:
        """Put the network in train mode, with BatchNorm as `batch_norm` says."""
        self.network.train()
        if self.batch_norm not in {"mixed", "published"}:
            self._train_batch_norm(wanted=False)

    def forward(self, part: Literal["forget", "remain"], images: Tensor) -> Tensor:
        """Return the network's logits on images of one part, with BatchNorm as `batch_norm` says for that part.

        With `batch_norm: remain`, pass the remain images first: the running statistics must not change between a
        forward pass that uses them and its gradient.
        """
        if self.batch_norm != "remain" or part == "forget":
            return self._logits(images)
        self._train_batch_norm(wanted=True)
        try:
            return self._logits(images)
        finally:
            self._train_batch_norm(wanted=False)

    def forward_both(self, forget: Tensor, remain: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits on forget and on remain images, with BatchNorm as `batch_norm` says.

        With `batch_norm: mixed` they are one batch; otherwise remain images pass first, as `forward` asks.
        """
        if self.batch_norm == "mixed":
            together = self._logits(torch.cat([forget, remain]))
            return together[: len(forget)], together[len(forget) :]
        kept = self.forward("remain", remain)
        return self.forward("forget", forget), kept

    def _logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return logits

    def _train_batch_norm(self, *, wanted: bool) -> None:
        for module in self.network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - torch has no public base
                module.train(wanted)
