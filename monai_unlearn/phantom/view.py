"""The mapping from the retina to the pixels of an image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """A similarity from retina units to pixels.

    Attributes:
        size: Pixels per side of the square image.
        scale: Pixels per retina unit.
        gaze: The point of the retina at the image centre.
        tilt: Rotation of the image, in radians.
        mirrored: Whether it is a left eye.
    """

    size: int
    scale: float
    gaze: tuple[float, float]
    tilt: float
    mirrored: bool

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """The linear part, shape (2, 2): from (x, y) on the retina to (x, y) in the image."""
        cosine, sine = math.cos(self.tilt), math.sin(self.tilt)
        mirror = np.diag([-1.0 if self.mirrored else 1.0, 1.0])
        return self.scale * np.array([[cosine, -sine], [sine, cosine]]) @ mirror

    def to_pixels(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Map points of shape (points, 2) on the retina to x and y in pixels, from the upper left corner."""
        pixels: npt.NDArray[np.float64] = (points - np.array(self.gaze)) @ self.matrix.T + self.size / 2
        return pixels

    def grid(self) -> tuple[FloatImage, FloatImage]:
        """Return x and y on the retina of every pixel's centre, each of shape (size, size)."""
        inverse = np.linalg.inv(self.matrix).astype(np.float32)
        offsets = np.arange(self.size, dtype=np.float32) + np.float32(0.5 - self.size / 2)
        across, down = offsets[None, :], offsets[:, None]
        x = inverse[0, 0] * across + inverse[0, 1] * down + np.float32(self.gaze[0])
        y = inverse[1, 0] * across + inverse[1, 1] * down + np.float32(self.gaze[1])
        return x, y
