"""What a method is to the engine: prepared once, then asked for a loss at every step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from monai_unlearn.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.utils.data import Dataset

BatchNormMode = Literal["frozen", "published"]
BATCH_NORM_MODES = ("frozen", "published")


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
    """

    network: nn.Module
    forget: Dataset[Any]
    pixel_space: PixelSpace
    device: torch.device
    seed: int


class Method(ABC):
    """An iterative unlearning method.

    Args:
        batch_norm: `frozen` keeps the original running statistics while weights change; `published` runs
            BatchNorm in train mode on whatever batches pass, as the reference code of arXiv 2505.21872
            does, which by itself makes a network look as if it had forgotten.
    """

    def __init__(self, *, batch_norm: BatchNormMode = "frozen") -> None:
        if batch_norm not in BATCH_NORM_MODES:
            raise ConfigError(
                f"batch_norm: expected frozen or published, got '{batch_norm}'."
                + did_you_mean(str(batch_norm), BATCH_NORM_MODES)
            )
        self.batch_norm = batch_norm

    network: nn.Module

    def prepare(self, context: MethodContext) -> None:
        """Do what is done once, before the first step: here, remember the network to revise."""
        self.network = context.network

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

    def set_mode(self) -> None:
        """Put the network into training, with BatchNorm as the mode says."""
        self.network.train()
        if self.batch_norm == "frozen":
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - torch has no public base
                    module.eval()
