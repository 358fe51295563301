"""The cameras of the periorbital phantoms: manufacturer, sites and image quality."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from monai_unlearn.phantom.devices import Station
from monai_unlearn.phantom.periorbital_labels import Frame
from monai_unlearn.phantom.periorbital_statistics import HEAD_ROLL

if TYPE_CHECKING:
    import numpy.typing as npt

    from monai_unlearn.phantom.periorbital_labels import FloatImage

ASPECT = 0.4  # rows per column, as in the annotated images: 97 to 244


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera model, with the attributes that DICOM records and the look of its images.

    Attributes:
        manufacturer: Manufacturer.
        model: ManufacturerModelName.
        stations: The cameras of this model.
        width: The width of a face that its images show, in mm.
        balance: Factors on red, green and blue.
        contrast: Exponent of the tone curve.
        saturation: 1 leaves colours as they are.
        blur: Standard deviation of the point spread, as a share of the image's width.
        noise: Standard deviation of the noise, 0 to 1.
    """

    manufacturer: str
    model: str
    stations: tuple[Station, ...]
    width: float
    balance: tuple[float, float, float]
    contrast: float
    saturation: float
    blur: float
    noise: float


_CLINIC, _HOSPITAL = "Phantom Oculoplastic Clinic", "Phantom Craniofacial Centre"

CAMERAS = (
    Camera(
        manufacturer="Canon",
        model="EOS 6D",
        stations=(
            Station("PHOTO-01", _CLINIC, "CN-220417", "1.1.9"),
            Station("PHOTO-02", _HOSPITAL, "CN-220988", "1.1.8"),
        ),
        width=122.0,
        balance=(1.02, 1.0, 0.97),
        contrast=1.0,
        saturation=1.05,
        blur=0.0012,
        noise=0.010,
    ),
    Camera(
        manufacturer="Nikon",
        model="D7500",
        stations=(Station("PHOTO-03", _HOSPITAL, "NK-610233", "1.02"),),
        width=116.0,
        balance=(0.96, 1.0, 1.05),
        contrast=1.08,
        saturation=0.92,
        blur=0.0015,
        noise=0.013,
    ),
    Camera(
        manufacturer="Apple",
        model="iPad Pro",
        stations=(Station("TABLET-01", _CLINIC, "AP-90331", "12.1"), Station("TABLET-02", _CLINIC, "AP-90332", "11.4")),
        width=128.0,
        balance=(1.06, 1.0, 0.86),
        contrast=0.88,
        saturation=0.82,
        blur=0.0034,
        noise=0.024,
    ),
)


@dataclass(frozen=True)
class Shot:
    """What differs between two images of the same face by the same camera.

    Attributes:
        middle: The position of the point between the pupils, as shares of columns and rows.
        roll: Tilt of the head, in radians.
        zoom: Factor on the camera's width.
        exposure: Factor on the light.
        light: How much brighter the right of the image is than the left, about -0.1 to 0.1.
    """

    middle: tuple[float, float]
    roll: float
    zoom: float
    exposure: float
    light: float


def draw_shot(rng: np.random.Generator) -> Shot:
    """Draw the settings of one image."""
    return Shot(
        middle=(rng.normal(0.5, 0.012), rng.normal(0.64, 0.03)),
        roll=rng.normal(0.0, math.radians(HEAD_ROLL)),
        zoom=rng.uniform(0.95, 1.06),
        exposure=rng.uniform(0.85, 1.12),
        light=rng.normal(0.0, 0.05),
    )


def frame_of(camera: Camera, shot: Shot, *, size: int) -> Frame:
    """Return where an image of `size` pixels across lies on the face."""
    return Frame(round(ASPECT * size), size, size / (camera.width * shot.zoom), shot.middle, shot.roll)


def photograph(face: FloatImage, camera: Camera, shot: Shot, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Render the image.

    Args:
        face: Reflectances of shape (3, rows, columns).
        camera: The camera.
        shot: The settings of this image.
        rng: Random generator of the noise.

    Returns:
        RGB of shape (rows, columns, 3), 0 to 255.
    """
    _, rows, columns = face.shape
    across = np.linspace(-1.0, 1.0, columns, dtype=np.float32)[None, :]
    light = np.float32(shot.exposure) * (1 + np.float32(shot.light) * across)
    grey = face.mean(axis=0)
    image = np.empty((rows, columns, 3), dtype=np.uint8)
    for channel, gain in enumerate(camera.balance):
        colour = grey + np.float32(camera.saturation) * (face[channel] - grey)
        colour = gaussian_filter(colour * light * np.float32(gain), camera.blur * columns)
        colour = np.clip(colour, 0.0, None) ** np.float32(camera.contrast)
        colour = colour + np.float32(camera.noise) * rng.standard_normal((rows, columns), dtype=np.float32)
        image[..., channel] = np.clip(colour, 0.0, 1.0) * 255 + np.float32(0.5)
    return image
