"""How a camera renders a retina: field, colour, sharpness and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from monai_unlearn.phantom.view import FloatImage, View

_REFERENCE_FIELD = 45.0  # degrees; one retina unit is the radius of such a field


@dataclass(frozen=True)
class Optics:
    """What the images of one camera model have in common.

    Attributes:
        field_of_view: Angle across the whole circle, in degrees.
        field_radius: Radius of the circle, as a share of half the image's side.
        field_height: Where the circle is cut off above and below, as a share of its radius.
        response: From the retina's red, green and blue to the camera's; shape (3, 3) by rows.
        veil: Stray light in red, green and blue, added to the image.
        gamma: Exponent of the tone curve.
        vignetting: How much darker the edge is than the centre, 0 to 1.
        blur: Standard deviation of the point spread, as a share of the image's side.
        noise: Standard deviation of the noise at full brightness, 0 to 1.
    """

    field_of_view: float
    field_radius: float
    field_height: float
    response: tuple[tuple[float, float, float], ...]
    veil: tuple[float, float, float]
    gamma: float
    vignetting: float
    blur: float
    noise: float


# A colour camera with a wider field: a muted, hazy and soft image, cut off above and below. How much its colours differ
# decides how badly a model that has never seen them classifies them: here accuracy drops markedly but stays above
# chance.
CIRRUS_OPTICS = Optics(
    field_of_view=55.0,
    field_radius=1.0,
    field_height=0.82,
    response=((0.68, 0.09, 0.00), (0.11, 0.68, 0.04), (0.06, 0.18, 0.49)),
    veil=(0.028, 0.042, 0.050),
    gamma=0.95,
    vignetting=0.35,
    blur=0.0045,
    noise=0.026,
)
# A confocal scanner: bright, warm, sharp and clean, in a full circle.
SPECTRALIS_OPTICS = Optics(
    field_of_view=45.0,
    field_radius=0.94,
    field_height=1.0,
    response=((0.93, 0.02, 0.00), (0.04, 0.92, 0.02), (0.04, 0.08, 0.86)),
    veil=(0.0, 0.0, 0.0),
    gamma=1.0,
    vignetting=0.45,
    blur=0.0015,
    noise=0.012,
)


@dataclass(frozen=True)
class Shot:
    """What differs between two images of the same eye by the same camera.

    Attributes:
        gaze: The point of the retina at the image centre, in retina units.
        tilt: Tilt of the head, in radians.
        exposure: Factor on the light.
        defocus: Factor on the blur.
        balance: Factors on red, green and blue.
        light: Where the flash is brightest, as shares of half the image's side.
    """

    gaze: tuple[float, float]
    tilt: float
    exposure: float
    defocus: float
    balance: tuple[float, ...]
    light: tuple[float, float]


def draw_shot(rng: np.random.Generator) -> Shot:
    """Draw the settings of one image."""
    return Shot(
        gaze=(rng.normal(0.16, 0.05), rng.normal(0.0, 0.05)),
        tilt=rng.normal(0.0, math.radians(4.0)),
        exposure=rng.uniform(0.88, 1.10),
        defocus=rng.uniform(0.8, 1.5),
        balance=tuple(rng.normal(1.0, 0.04, 3)),
        light=(rng.normal(0.0, 0.12), rng.normal(0.0, 0.12)),
    )


def view_of(optics: Optics, shot: Shot, *, size: int, mirrored: bool) -> View:
    """Return where the points of the retina land in an image of `size` pixels per side."""
    scale = size / 2 * optics.field_radius * _REFERENCE_FIELD / optics.field_of_view
    return View(size, scale, shot.gaze, shot.tilt, mirrored)


def photograph(retina: FloatImage, optics: Optics, shot: Shot, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Render the image.

    Args:
        retina: Reflectances of shape (3, size, size), as the shot's view shows them.
        optics: The camera.
        shot: The settings of this image.
        rng: Random generator of the noise.

    Returns:
        RGB of shape (size, size, 3), 0 to 255; black outside the field.
    """
    size = retina.shape[1]
    axis = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size / 2) - np.float32(1)
    across, down = axis[None, :], axis[:, None]
    from_light = (across - np.float32(shot.light[0])) ** 2 + (down - np.float32(shot.light[1])) ** 2
    fall_off = np.float32(shot.exposure) * (1 - np.float32(optics.vignetting) * from_light)
    field = _field(across, down, optics, size)
    noise = np.float32(optics.noise) * rng.standard_normal(retina.shape, dtype=np.float32)
    image = np.empty((size, size, 3), dtype=np.uint8)
    channels = zip(optics.response, optics.veil, shot.balance, strict=True)
    for channel, (mixture, veil, gain) in enumerate(channels):
        light = sum(np.float32(gain * share) * colour for share, colour in zip(mixture, retina, strict=True))
        light = gaussian_filter(light, optics.blur * shot.defocus * size, truncate=3.0)
        light = np.clip(light * fall_off + np.float32(veil), 0.0, None) ** np.float32(optics.gamma)
        # Photons arrive at random: the noise grows with the square root of the light.
        light = (light + noise[channel] * np.sqrt(light)) * field
        image[..., channel] = np.clip(light, 0.0, 1.0) * 255 + np.float32(0.5)
    return image


def _field(across: FloatImage, down: FloatImage, optics: Optics, size: int) -> FloatImage:
    """The field stop: 1 inside, 0 outside, with an edge one pixel wide."""
    from_edge = optics.field_radius - np.sqrt(across**2 + down**2)
    from_cut = optics.field_radius * optics.field_height - np.abs(down)
    inside = np.minimum(from_edge, from_cut) * np.float32(size / 2)
    field: FloatImage = np.clip(inside + np.float32(0.5), 0.0, 1.0)
    return field
