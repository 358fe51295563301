"""The normalisation between pixels and a network's inputs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from monai_unlearn.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class PixelSpace:
    """The normalisation of a network's input: `input = (pixel - mean) / std`, channel by channel.

    Args:
        mean: What the preprocessing subtracts from each channel, in pixel units.
        std: What it divides each channel by, positive.
        low: Smallest valid pixel value.
        high: Largest valid pixel value.

    Raises:
        ConfigError: A mean or a positive std is missing for a channel, or the range is empty.
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
        """Undo the normalisation; shape (batch, channel, *spatial) is kept.

        Raises:
            ConfigError: The images have another number of channels; so for `to_inputs`.
        """
        return inputs * self._broadcast(self.std, inputs) + self._broadcast(self.mean, inputs)

    def to_inputs(self, pixels: Tensor) -> Tensor:
        """Normalise pixels; shape (batch, channel, *spatial) is kept."""
        return (pixels - self._broadcast(self.mean, pixels)) / self._broadcast(self.std, pixels)

    @staticmethod
    def _broadcast(values: tuple[float, ...], like: Tensor) -> Tensor:
        if like.shape[1] != len(values):
            raise ConfigError(f"pixel_space has {len(values)} channels, the images have {like.shape[1]}.")
        return torch.tensor(values, dtype=like.dtype, device=like.device).view(1, -1, *[1] * (like.ndim - 2))
