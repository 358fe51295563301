"""Textures and operations on images that the periorbital phantoms are painted with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

if TYPE_CHECKING:
    import numpy.typing as npt

    from monai_unlearn.phantom.periorbital_labels import FloatImage

Colour = tuple[float, float, float]

TINY = 1e-6
_CUBIC, _COARSE = 3, 8  # the order of splines, and the factor from which linear interpolation would show


def noise(rng: np.random.Generator, shape: tuple[int, ...], size: float) -> FloatImage:
    """Return smooth noise with grains of about `size` pixels; mean 0, standard deviation 1."""
    step = max(1, int(size))
    grains = rng.standard_normal([length // step + 3 for length in shape], dtype=np.float32)
    grown = _enlarged(grains, step, shape)
    noise: FloatImage = grown / max(float(grown.std()), TINY)
    return noise


def blurred(mask: FloatImage, size: float) -> FloatImage:
    """Blur by a large width, computed on a smaller image."""
    step = max(1, int(size / 4))
    rows, columns = mask.shape
    few = np.pad(mask, ((0, -rows % step), (0, -columns % step)), mode="edge")
    few = few.reshape(few.shape[0] // step, step, few.shape[1] // step, step).mean(axis=(1, 3))
    few = gaussian_filter(few, size / step, truncate=2.5)
    return _enlarged(np.pad(few, ((0, 1), (0, 1)), mode="edge"), step, (rows, columns))


def sheared(hairs: FloatImage, lean: int) -> FloatImage:
    """Let horizontal strokes rise: each column is taken a little lower than the last."""
    height, width = hairs.shape
    rise = (np.arange(width) * 0.35 * lean).astype(np.intp)
    sheared: FloatImage = hairs[(np.arange(height)[:, None] + rise[None, :]) % height, np.arange(width)[None, :]]
    return sheared


def window(mask: npt.NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of a mask, with a margin."""
    found = []
    for axis in (1, 0):
        places = np.flatnonzero(mask.any(axis=axis))
        found.append(slice(max(0, int(places[0]) - margin), int(places[-1]) + margin + 1))
    return found[0], found[1]


def width(mask: npt.NDArray[np.bool_]) -> int:
    """Return the number of columns from the first to the last of a mask."""
    columns = np.flatnonzero(mask.any(axis=0))
    return int(columns[-1] - columns[0] + 1) if len(columns) else 0


def moved(image: FloatImage, rows: float) -> FloatImage:
    """Move an image down by `rows` rows, or up if negative; uncovered rows are zero."""
    steps = round(rows) or (1 if rows > 0 else -1)
    moved = np.zeros_like(image)
    if steps > 0:
        moved[steps:] = image[:-steps]
    else:
        moved[:steps] = image[-steps:]
    return moved


def blend(image: FloatImage, colour: tuple[float, ...], share: FloatImage) -> None:
    """Blend a colour into an image of shape (3, rows, columns), in place; `share` is 0 to 1 at each pixel."""
    for channel, value in enumerate(colour):
        image[channel] += share * (np.float32(value) - image[channel])


def darken(image: FloatImage, share: FloatImage) -> None:
    """Darken an image in place by a share at each pixel, clipped to 0 to 1."""
    image *= np.float32(1.0) - np.clip(share, 0.0, 1.0)


def _enlarged(image: FloatImage, factor: int, shape: tuple[int, ...]) -> FloatImage:
    if factor == 1:
        return image[: shape[0], : shape[1]]
    large: FloatImage = zoom(image, factor, order=_CUBIC if factor >= _COARSE else 1)[: shape[0], : shape[1]]
    return large
