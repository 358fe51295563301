"""What image files leave open about their pixels, and users set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """What a file leaves open about its pixels; an image that needs an option that is not set is refused.

    Attributes:
        frame: The number of the frame or page to read, from 0, of files with several.
        value_range: The values that become 0 and 1, of grey images with more than 8 bits; null for the range of their
            integer type, up to 16 bits. Values beyond are clipped.
        background: What is behind transparent pixels: a grey level or an RGB colour, in [0, 1].

    Raises:
        ConfigError: An option is out of range.
    """

    frame: int | None = None
    value_range: Sequence[float] | None = None
    background: float | Sequence[float] | None = None

    def __post_init__(self) -> None:
        if self.frame is not None and self.frame < 0:
            raise ConfigError(f"frame: expected the number of a frame, from 0, got {self.frame}.")
        if self.value_range is not None and not (len(self.value_range) == 2 and np.diff(self.value_range)[0] > 0):  # noqa: PLR2004 - a pair
            raise ConfigError(f"value_range: expected [low, high] with low < high, got {self.value_range}.")
        behind = np.asarray(0 if self.background is None else self.background, float)
        if behind.shape not in {(), (3,)} or not ((behind >= 0) & (behind <= 1)).all():
            raise ConfigError(
                f"background: expected a grey level or an RGB colour, each from 0 to 1, got {self.background}."
            )


DEFAULT = ImageOptions()


def no_frame(path: Path, frame: int, count: int) -> DataError:
    """Return the error of a file that has fewer frames than the number that was asked for."""
    return DataError(
        f"{path}: expected a frame of number {frame}, counted from 0, got a file with {count} of them. Change `frame`."
    )
