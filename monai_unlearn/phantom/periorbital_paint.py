"""Paint the eye region of a face from its label map: a phantom's, or one annotated on a photograph.

What a label map does not contain is drawn at random: the skin, the colours of iris and brow, the light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from monai_unlearn.phantom.periorbital_labels import LABEL_VALUES, FloatImage
from monai_unlearn.phantom.periorbital_statistics import IRIS_WIDTH
from monai_unlearn.phantom.periorbital_texture import TINY, blend, blurred, darken, moved, noise, sheared, width, window

if TYPE_CHECKING:
    import numpy.typing as npt

    from monai_unlearn.phantom.periorbital_appearance import Appearance
    from monai_unlearn.phantom.periorbital_labels import LabelMap
    from monai_unlearn.phantom.periorbital_texture import Colour

# Reflectances in red, green and blue.
_SCLERA: Colour = (0.90, 0.88, 0.86)
_BLOOD: Colour = (0.80, 0.30, 0.28)
_CARUNCLE: Colour = (0.80, 0.48, 0.45)
_LASHES: Colour = (0.10, 0.07, 0.06)
_PUPIL: Colour = (0.03, 0.03, 0.03)
_LIGHT: Colour = (1.0, 1.0, 1.0)

_SMALLEST_IRIS = 3  # pixels across; a smaller iris cannot give the scale
_AROUND = 7.0  # mm around the opening of an eye: lids and folds
_USUAL_FACE = 10.0 * IRIS_WIDTH  # mm across an image of both eyes, if neither iris shows


def paint(labels: LabelMap, appearance: Appearance, rng: np.random.Generator) -> FloatImage:
    """Return the face: RGB reflectances of shape (3, rows, columns), about 0 to 1.

    Args:
        labels: The label map, at the resolution of the image; a finer one gives smoother edges.
        appearance: The face's colours.
        rng: Random generator of the texture of skin, iris and brow.
    """
    scale = pixels_per_mm(labels)
    image = _paint_skin(labels, appearance, rng, scale)
    for number in (0, 1):
        opening = _shape(labels, number)
        if opening.any():
            rows, columns = window(opening, round(_AROUND * scale))
            part, seen, own = image[:, rows, columns], opening[rows, columns], labels[rows, columns]
            _paint_lids(part, own, number, seen, appearance, scale)
            _paint_globe(part, own, number, seen, appearance, rng, scale)
            _paint_margins(part, seen, appearance, scale)
        _paint_brow(image, labels == LABEL_VALUES["r_brow"] + number, appearance, rng, scale, lean=1 - 2 * number)
    return image


def pixels_per_mm(labels: LabelMap) -> float:
    """Return the scale of a label map from the width of its irises, or from its own width if it has none."""
    widths = [width(labels == LABEL_VALUES[name]) for name in ("r_iris", "l_iris")]
    known = [width for width in widths if width >= _SMALLEST_IRIS]
    return float(np.mean(known)) / IRIS_WIDTH if known else labels.shape[1] / _USUAL_FACE


def _shape(labels: LabelMap, number: int) -> npt.NDArray[np.bool_]:
    """Return the mask of the opening between the lids of an eye: sclera, caruncle and iris."""
    names = [LABEL_VALUES[name] + number for name in ("r_sclera", "r_caruncle", "r_iris")]
    return np.isin(labels, names)


def _paint_skin(labels: LabelMap, appearance: Appearance, rng: np.random.Generator, scale: float) -> FloatImage:
    shape = labels.shape
    fine, coarse = noise(rng, shape, 0.25 * scale), noise(rng, shape, 5.0 * scale)
    light = 1.0 + 0.020 * fine + 0.022 * coarse
    # The orbits are hollows, the bridge of the nose between them catches the light.
    seen = np.isin(labels, [value for name, value in LABEL_VALUES.items() if "brow" not in name]).astype(np.float32)
    hollow = blurred(seen, 5.0 * scale)
    light -= (0.30 + 0.30 * appearance.lines) * hollow
    across = np.linspace(-1.0, 1.0, shape[1], dtype=np.float32)[None, :]
    light += 0.10 * np.exp(-((across / 0.11) ** 2)) - 0.07 * np.exp(-(((np.abs(across) - 0.24) / 0.09) ** 2))
    light -= 0.10 * across**2
    image = np.array(appearance.skin, dtype=np.float32)[:, None, None] * light
    # Blood shows more through lids and hollows, and much more through swollen and inflamed ones.
    flush = np.clip((0.15 + 1.35 * appearance.redness) * hollow, 0.0, 1.0)
    blend(
        image, tuple(channel * share for channel, share in zip(appearance.skin, (0.97, 0.66, 0.64), strict=True)), flush
    )
    return image


def _paint_lids(
    image: FloatImage,
    labels: LabelMap,
    number: int,
    opening: npt.NDArray[np.bool_],
    appearance: Appearance,
    scale: float,
) -> None:
    lid = labels == LABEL_VALUES["right_lid"] + number
    covered = gaussian_filter((lid | opening).astype(np.float32), 0.25 * scale)
    # The crease lies above the lid, a fold below the lower margin; a swollen lid bulges towards the light.
    crease = np.clip(moved(covered, -0.55 * scale) - covered, 0.0, 1.0)
    darken(image, (0.40 + 0.45 * appearance.lines) * crease)
    on_lid = gaussian_filter(lid.astype(np.float32), 0.5 * scale)
    image += (0.03 + 0.07 * appearance.swelling) * on_lid * np.array(appearance.skin, dtype=np.float32)[:, None, None]
    seen = gaussian_filter(opening.astype(np.float32), 0.9 * scale)
    below = moved(seen, (3.2 + 1.5 * appearance.swelling) * scale) - moved(
        seen, (2.0 + 1.2 * appearance.swelling) * scale
    )
    fold = (0.12 * appearance.lines + 0.50 * appearance.swelling) * np.clip(below, 0.0, 1.0)
    darken(image, np.where(labels == 0, fold, 0.0).astype(np.float32))


def _paint_globe(
    image: FloatImage,
    labels: LabelMap,
    number: int,
    opening: npt.NDArray[np.bool_],
    appearance: Appearance,
    rng: np.random.Generator,
    scale: float,
) -> None:
    soft = gaussian_filter(opening.astype(np.float32), 0.18 * scale)
    depth = distance_transform_edt(opening).astype(np.float32) / np.float32(scale)
    vessels = np.clip(1.2 - 2.2 * np.abs(noise(rng, opening.shape, 0.45 * scale)), 0.0, 1.0)
    globe = np.broadcast_to(np.array(_SCLERA, dtype=np.float32)[:, None, None], image.shape).copy()
    blend(globe, _BLOOD, np.clip(appearance.redness * (0.30 + 0.40 * vessels) + 0.04 * vessels, 0.0, 1.0))
    caruncle = (labels == LABEL_VALUES["r_caruncle"] + number).astype(np.float32)
    blend(globe, _CARUNCLE, 0.85 * gaussian_filter(caruncle, 0.5 * scale))
    _paint_iris(globe, labels == LABEL_VALUES["r_iris"] + number, appearance, rng, scale)
    # The lids, mostly the upper one, cast a shadow on the globe.
    darken(globe, 0.42 * np.exp(-depth / np.float32(0.9)))
    image += soft * (globe - image)


def _paint_iris(
    globe: FloatImage, iris: npt.NDArray[np.bool_], appearance: Appearance, rng: np.random.Generator, scale: float
) -> None:
    if not iris.any():
        return
    x, y = _middle(iris)
    radius = width(iris) / 2
    down, across = np.indices(iris.shape, dtype=np.float32)
    distance = np.hypot(across - np.float32(x), down - np.float32(y)) / np.float32(radius)
    angle = np.arctan2(down - np.float32(y), across - np.float32(x))
    spokes = rng.normal(0.0, 1.0, (3, 8))
    streaks = sum(size * np.cos(round(20 + 12 * many) * angle + 6 * turn) for size, many, turn in spokes.T)
    light = 1.0 + 0.05 * streaks + 0.25 * (0.75 - distance)
    disc = gaussian_filter(iris.astype(np.float32), 0.25 * scale)
    globe += disc * (np.array(appearance.iris, dtype=np.float32)[:, None, None] * light - globe)
    darken(globe, 0.75 * disc * np.exp(-(((distance - 1.0) / 0.13) ** 2)))  # the limbus
    blend(
        globe,
        _PUPIL,
        disc * np.clip((np.float32(appearance.pupil) - distance) * np.float32(radius) / 1.5 + 0.5, 0.0, 1.0),
    )
    spot = np.hypot(across - np.float32(x + 0.28 * radius), down - np.float32(y - 0.24 * radius))
    blend(globe, _LIGHT, 0.95 * np.exp(-((spot / np.float32(0.13 * radius)) ** 2)))


def _middle(iris: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the centre of an iris that the lids may partly cover: x, and y where it is widest."""
    columns = np.flatnonzero(iris.any(axis=0))
    widths = iris.sum(axis=1)
    widest = np.flatnonzero(widths >= widths.max() - 1)
    return float(columns[0] + columns[-1]) / 2, float(widest.mean())


def _paint_margins(image: FloatImage, opening: npt.NDArray[np.bool_], appearance: Appearance, scale: float) -> None:
    """Paint the lashes of the upper lid, the moist edge of the lower, and the shadows of both."""
    soft = gaussian_filter(opening.astype(np.float32), 0.22 * scale)
    lashes = np.clip(moved(soft, -0.75 * scale) - soft, 0.0, 1.0)
    blend(image, _LASHES, 0.80 * lashes)
    edge = np.clip(moved(soft, 0.55 * scale) - soft, 0.0, 1.0)
    rim = tuple(channel * share for channel, share in zip(appearance.skin, (0.90, 0.62, 0.60), strict=True))
    blend(image, rim, (0.55 + 0.35 * appearance.redness) * edge)
    blend(image, _LASHES, 0.22 * np.clip(moved(soft, 1.1 * scale) - moved(soft, 0.5 * scale), 0.0, 1.0))


def _paint_brow(
    image: FloatImage,
    brow: npt.NDArray[np.bool_],
    appearance: Appearance,
    rng: np.random.Generator,
    scale: float,
    *,
    lean: int,
) -> None:
    if not brow.any():
        return
    rows, columns = window(brow, round(2 * scale))
    part = brow[rows, columns]
    hairs = gaussian_filter(rng.standard_normal(part.shape, dtype=np.float32), (0.10 * scale, 0.9 * scale))
    hairs = sheared(hairs / max(float(hairs.std()), TINY), lean)
    depth = gaussian_filter(part.astype(np.float32), 0.8 * scale)
    blend(image[:, rows, columns], appearance.hair, np.clip(depth * (0.72 + 0.28 * hairs), 0.0, 0.95))
