"""What a method is to the engine: prepared once, then asked for a loss at every step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from monai_unlearn.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch.utils.data import Dataset

BatchNormMode = Literal["frozen", "remain", "mixed", "published"]
BATCH_NORM_MODES = ("frozen", "remain", "mixed", "published")
PhaseName = Literal["forget", "repair"]


def _nothing() -> None:
    """Keep nothing: a preparation that nobody resumes."""


def _alone(tensor: Tensor) -> Tensor:
    """Share with, and add up over, one process."""
    return tensor


@dataclass(frozen=True, kw_only=True)
class PixelSpace:
    """How a network's input follows from pixels: `input = (pixel - mean) / std`, channel by channel.

    Args:
        mean: What the preprocessing subtracts, a value a channel, in pixel units.
        std: What it divides by, a value a channel, positive.
        low: Smallest valid pixel value.
        high: Largest valid pixel value.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(self.mean))
        object.__setattr__(self, "std", tuple(self.std))
        if len(self.mean) != len(self.std) or not self.mean or min(self.std) <= 0 or self.low >= self.high:
            raise ConfigError(
                "pixel_space: expected a mean and a positive std for every channel and low < high, got "
                f"mean {list(self.mean)}, std {list(self.std)}, low {self.low}, high {self.high}."
            )

    def to_pixels(self, inputs: Tensor) -> Tensor:
        """Undo the normalisation. Shape (batch, channel, *spatial), kept."""
        return inputs * self._broadcast(self.std, inputs) + self._broadcast(self.mean, inputs)

    def to_inputs(self, pixels: Tensor) -> Tensor:
        """Normalise pixels. Shape (batch, channel, *spatial), kept."""
        return (pixels - self._broadcast(self.mean, pixels)) / self._broadcast(self.std, pixels)

    @staticmethod
    def _broadcast(values: tuple[float, ...], like: Tensor) -> Tensor:
        if like.shape[1] != len(values):
            raise ConfigError(f"pixel_space has {len(values)} channels, the images have {like.shape[1]}.")
        return torch.tensor(values, dtype=like.dtype, device=like.device).view(1, -1, *[1] * (like.ndim - 2))


@dataclass(frozen=True, kw_only=True)
class MethodContext:
    """What a method may look at before it starts.

    Args:
        network: The network to revise, on its device, with the original weights.
        forget: The forget part's training items: `image` (channel, *spatial), `label`, `row`.
        pixel_space: How inputs follow from pixels.
        device: Where to compute.
        seed: Seeds every draw of the method.
        rank: Number of this process, from 0. Of a preparation in pieces, this process does the pieces `rank`,
            `rank + world_size`, … , whose draws follow from seed and image alone.
        world_size: Number of processes.
        all_reduce_sum: Adds a tensor up over all processes, each of which must call it.
        keep: Called after each piece, so that a killed run can go on from `Method.state_dict`.
    """

    network: nn.Module
    forget: Dataset[Any]
    pixel_space: PixelSpace
    device: torch.device
    seed: int
    rank: int = 0
    world_size: int = 1
    all_reduce_sum: Callable[[Tensor], Tensor] = _alone
    keep: Callable[[], None] = _nothing


class Method(ABC):
    """An iterative unlearning method.

    Args:
        batch_norm: `frozen` keeps the original running statistics while weights change. `remain` runs
            BatchNorm in train mode on remain images, which the statistics then follow, and with the
            running statistics on forget images of the same step. `mixed` runs it in train mode on both
            parts as one batch, of which forget images should be few. `published` runs it in train mode on
            whatever batches pass, as the reference code of arXiv 2505.21872 does, which by itself makes
            a network look as if it had forgotten.
    """

    phase: PhaseName = "forget"
    """What the steps are for: `forget`, or `repair`, whose batches have no `forget`. The engine sets it."""

    def __init__(self, *, batch_norm: BatchNormMode = "frozen") -> None:
        if batch_norm not in BATCH_NORM_MODES:
            raise ConfigError(
                f"batch_norm: expected one of {', '.join(BATCH_NORM_MODES)}, got '{batch_norm}'."
                + did_you_mean(str(batch_norm), BATCH_NORM_MODES)
            )
        self.batch_norm = batch_norm

    network: nn.Module

    def prepare(self, context: MethodContext) -> None:
        """Do what is done once, before the first step: here, remember the network to revise.

        A resumed run calls `load_state_dict` first; what that brought need not be found again.
        """
        self.network = context.network

    def state_dict(self) -> dict[str, Any]:
        """Return what was found so far, beside the weights: tensors and plain values, read back without code."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned, before `prepare`.

        Raises:
            ConfigError: The state is another method's.
        """
        if state:
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))} for a method that keeps nothing "
                f"({type(self).__name__}). Delete the checkpoint to start anew."
            )

    @abstractmethod
    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the scalar to descend on for one batch of a `PairedLoader`, already on the device."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a batch that `loss` takes gradients on, for the account of costs."""
        return ("forget", "remain")

    @property
    def gradient_evaluations(self) -> int:
        """Gradients of single images that `prepare` has taken, for the account of costs."""
        return 0

    def gradients_to_prepare(self, images: int) -> int:  # noqa: ARG002 - most methods prepare without any
        """Return the gradients of single images that `prepare` will take at the most, to plan a run by.

        Args:
            images: How many forget images there are.
        """
        return 0

    @property
    def agrees_in_bfloat16(self) -> bool:
        """Whether the original network was seen to read forget images in bfloat16 as it does in float32.

        Where it is so, the trainer takes its steps in bfloat16 too.
        """
        return False

    def write_diagnostics(self, folder: Path) -> list[Path]:  # noqa: ARG002 - what others write to
        """Write what the method shows of its own working, making the folder; return the files: here, none."""
        return []

    def set_mode(self) -> None:
        """Put the network into training, with BatchNorm as the mode says."""
        self.network.train()
        if self.batch_norm not in {"mixed", "published"}:
            self._train_batch_norm(wanted=False)

    def read(self, part: Literal["forget", "remain"], images: Tensor) -> Tensor:
        """Return the network's logits on images of one part, with BatchNorm as the mode says for that part.

        With `batch_norm: remain`, read the remain images first: what moves the running statistics must not
        come between a pass that uses them and its gradient.
        """
        if self.batch_norm != "remain" or part == "forget":
            return self._logits(images)
        self._train_batch_norm(wanted=True)
        try:
            return self._logits(images)
        finally:
            self._train_batch_norm(wanted=False)

    def read_together(self, forget: Tensor, remain: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits on forget and on remain images, with BatchNorm as the mode says.

        With `batch_norm: mixed` they are one batch; otherwise remain images are read first, as `read` asks.
        """
        if self.batch_norm == "mixed":
            together = self._logits(torch.cat([forget, remain]))
            return together[: len(forget)], together[len(forget) :]
        read = self.read("remain", remain)
        return self.read("forget", forget), read

    def _logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return logits

    def _train_batch_norm(self, *, wanted: bool) -> None:
        for module in self.network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - torch has no public base
                module.train(wanted)
