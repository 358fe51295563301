"""Render a slice of a phantom head as a scanner stores it: contrast, blur, shading and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from monai_unlearn.phantom.mri_slice import FIELD_OF_VIEW

if TYPE_CHECKING:
    from monai_unlearn.phantom.mri_head import FloatImage, Floats
    from monai_unlearn.phantom.mri_scanners import Scanner


def scan(
    image: FloatImage, added: FloatImage, scanner: Scanner, rng: np.random.Generator, *, shading: Floats
) -> npt.NDArray[np.uint16]:
    """Return the slice as a scanner stores it: 12 bits, with the shape of the image.

    Args:
        image: The brightness of tissue without contrast agent.
        added: The brightness that the agent adds.
        scanner: The scanner.
        rng: Random generator of the noise.
        shading: The direction in which the coil's sensitivity falls off, a unit vector in x and y.
    """
    size = len(image)
    signal = (image + np.float32(scanner.enhancement) * added) ** np.float32(scanner.contrast)
    signal = gaussian_filter(signal, scanner.blur * size / FIELD_OF_VIEW)
    axis = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    slope = np.float32(shading[0]) * axis[None, :] + np.float32(shading[1]) * axis[:, None]
    signal *= 1 - np.float32(scanner.shading) * (1 + slope) / 2
    # The magnitude of a complex signal: Gaussian noise in each channel (Gudbjartsson and Patz 1995, eq. 1).
    real, imaginary = rng.normal(0.0, scanner.noise, (2, size, size))
    magnitude = np.hypot(signal + real, imaginary)
    stored: npt.NDArray[np.uint16] = np.clip(np.rint(magnitude * scanner.scale), 0, 4095).astype(np.uint16)
    return stored
