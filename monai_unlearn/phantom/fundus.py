"""Paint a phantom retina: its reflectance, before a camera renders it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from monai_unlearn.phantom.anatomy import TEXTURE_EXTENT, Eye, Spots
from monai_unlearn.phantom.vessels import TAPER, VEIN_WIDTH, Vessel

if TYPE_CHECKING:
    import numpy.typing as npt

    from monai_unlearn.phantom.view import FloatImage, View

Colour = tuple[float, float, float]

# Reflectances in red, green and blue.
_PALE_RETINA: Colour = (0.98, 0.47, 0.20)
_DARK_RETINA: Colour = (0.72, 0.30, 0.11)
_RIM: Colour = (1.00, 0.66, 0.38)
_CUP: Colour = (1.06, 1.00, 0.80)
_ATROPHY: Colour = (1.00, 0.72, 0.45)
_EXUDATE: Colour = (1.08, 0.98, 0.50)
_COTTON_WOOL: Colour = (1.02, 0.86, 0.62)
# Absorption per unit of depth.
_BLOOD: Colour = (0.55, 1.30, 1.05)
_CLOT: Colour = (0.75, 1.70, 1.35)
_MACULAR_PIGMENT: Colour = (0.40, 0.70, 0.75)

_CANVAS = 1024  # pixels per side to draw on, before averaging down
_SEGMENT = 5  # points of a vessel that are drawn in one width


def paint(eye: Eye, view: View) -> FloatImage:
    """Return the retina: RGB reflectances of shape (3, size, size), about 0 to 1.1."""
    x, y = view.grid()
    image = _paint_ground(eye, view, x, y)
    _paint_macula(image, eye, x, y)
    _paint_disc(image, eye, x, y)
    lesions = eye.lesions
    _blend(image, _COTTON_WOOL, _draw_spots(lesions.cotton_wool, view, strength=0.75, blur=0.018))
    lines = _lines(eye.vessels, view)
    _absorb(image, _BLOOD, _draw_vessels(eye.vessels, lines, view))
    _blend(image, _RIM, _draw_reflexes(eye.vessels, lines, view))
    _absorb(image, _CLOT, _draw_spots(lesions.haemorrhages, view, blur=0.008))
    _absorb(image, _CLOT, _draw_spots(lesions.microaneurysms, view, strength=0.8))
    _blend(image, _EXUDATE, _draw_spots(lesions.exudates, view, blur=0.004))
    return image


def _paint_ground(eye: Eye, view: View, x: FloatImage, y: FloatImage) -> FloatImage:
    """The choroid through the retina: clouds, a net of darker vessels, and grain."""
    cloud, net, grain = (_sample(texture, view) for texture in eye.textures)
    # The posterior pole is brighter than its surroundings.
    brightness = 0.86 + 0.20 * np.exp(((x - 0.35) ** 2 + y**2) / np.float32(-0.9))
    brightness *= 1.0 + 0.07 * cloud + 0.07 * (np.minimum(np.abs(net), 1.5) - 0.8) + 0.02 * grain
    # Where the choroid is denser it is redder: green follows the clouds more than red and blue do.
    tints = (1.0, 1.0 + 0.06 * cloud + 0.05 * net, 1.0)
    image = np.empty((3, view.size, view.size), dtype=np.float32)
    for channel, (pale, dark, tint) in enumerate(zip(_PALE_RETINA, _DARK_RETINA, tints, strict=True)):
        image[channel] = brightness * (np.float32(pale + eye.pigment * (dark - pale)) * tint)
    return image


def _paint_macula(image: FloatImage, eye: Eye, x: FloatImage, y: FloatImage) -> None:
    square = (x - np.float32(eye.macula[0])) ** 2 + (y - np.float32(eye.macula[1])) ** 2
    wide, narrow = np.exp(square / np.float32(-0.060)), np.exp(square / np.float32(-0.007))
    _absorb(image, _MACULAR_PIGMENT, 0.42 * wide + 0.5 * narrow)
    image += 0.10 * np.exp(square / np.float32(-0.0003))  # the foveal reflex


def _paint_disc(image: FloatImage, eye: Eye, x: FloatImage, y: FloatImage) -> None:
    wide, high = (float(radius) for radius in eye.disc_radii)
    across, down = (x - np.float32(eye.disc[0])) / wide, (y - np.float32(eye.disc[1])) / high
    # The crescent of atrophy lies on the temporal side.
    _blend(image, _ATROPHY, 0.8 * eye.atrophy * _step(1.12 - np.hypot(across + 0.16, down), 0.05))
    _blend(image, _RIM, 0.92 * _step(1.0 - np.hypot(across, down), 0.045))
    from_cup = np.hypot(across - float(eye.cup_offset[0]) / wide, down - float(eye.cup_offset[1]) / high)
    _blend(image, _CUP, 0.9 * _step(eye.cup_ratio - from_cup, 0.06))


def _lines(vessels: tuple[Vessel, ...], view: View) -> list[list[float]]:
    """Return the paths of the vessels on the canvas: x, y, x, y, …."""
    ends = np.cumsum([len(vessel.points) for vessel in vessels])
    points = view.to_pixels(np.concatenate([vessel.points for vessel in vessels])) * _enlargement(view)
    return [course.ravel().tolist() for course in np.split(points, ends[:-1])]


def _draw_vessels(vessels: tuple[Vessel, ...], lines: list[list[float]], view: View) -> FloatImage:
    """The depth of blood at every pixel, 0 to about 1."""
    canvas, pen = _canvas(view)
    scale = view.scale * _enlargement(view)
    # Veins over arteries, and thick ones over thin ones.
    pairs = sorted(zip(vessels, lines, strict=True), key=lambda pair: (not pair[0].artery, pair[0].width))
    for vessel, line in pairs:
        for start in range(0, len(line) - 2, 2 * _SEGMENT):
            width = vessel.width * (1.0 - TAPER * start / len(line))
            depth = (0.30 + 0.70 * min(width / VEIN_WIDTH, 1.0)) * (0.72 if vessel.artery else 1.0)
            segment = line[start : start + 2 * _SEGMENT + 2]
            pen.line(segment, fill=round(255 * depth), width=max(1, round(width * scale)))
    return _finish(canvas, view)


def _draw_reflexes(vessels: tuple[Vessel, ...], lines: list[list[float]], view: View) -> FloatImage:
    """The streak of light along the larger arteries, 0 to about 0.3."""
    canvas, pen = _canvas(view)
    scale = view.scale * _enlargement(view)
    for vessel, line in zip(vessels, lines, strict=True):
        if vessel.artery and vessel.width > VEIN_WIDTH / 3:
            pen.line(line, fill=80, width=max(1, round(0.25 * vessel.width * scale)))
    return _finish(canvas, view)


def _draw_spots(spots: Spots, view: View, *, strength: float = 1.0, blur: float = 0.0) -> FloatImage | None:
    """Draw ellipses, blurred by `blur` retina units; 0 to `strength`, or None if there are none."""
    if not len(spots.centres):
        return None
    canvas, pen = _canvas(view)
    enlargement = _enlargement(view)
    radii = spots.radii * view.scale * enlargement
    centres = view.to_pixels(spots.centres) * enlargement
    boxes = np.concatenate([centres - radii, centres + radii], axis=1).tolist()
    for box, own in zip(boxes, spots.strengths.tolist(), strict=True):
        pen.ellipse(box, fill=round(255 * own * strength))
    return _finish(canvas, view, blur=blur * view.scale)


def _enlargement(view: View) -> int:
    return max(2, _CANVAS // view.size)


def _canvas(view: View) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    side = view.size * _enlargement(view)
    canvas = Image.new("L", (side, side))
    return canvas, ImageDraw.Draw(canvas)


def _finish(canvas: Image.Image, view: View, *, blur: float = 0.0) -> FloatImage:
    """Average the canvas down to the size of the image and blur it by `blur` pixels."""
    small = canvas.reduce(_enlargement(view))
    if blur:
        small = small.filter(ImageFilter.GaussianBlur(blur))
    depth: FloatImage = np.asarray(small, dtype=np.float32) * np.float32(1 / 255)
    return depth


def _sample(texture: FloatImage, view: View) -> FloatImage:
    """Enlarge a random field, which spans the retina, to the image.

    The tilt is left out: the field is too vague for a few degrees to show.
    """
    nodes = len(texture) / (2 * TEXTURE_EXTENT)  # in a retina unit
    reach = nodes * view.size / (2 * view.scale)
    across = nodes * (TEXTURE_EXTENT + (-view.gaze[0] if view.mirrored else view.gaze[0]))
    down = nodes * (TEXTURE_EXTENT + view.gaze[1])
    box = (across - reach, down - reach, across + reach, down + reach)
    field = Image.fromarray(texture[:, ::-1].copy() if view.mirrored else texture)
    return np.asarray(field.resize((view.size, view.size), Image.Resampling.BICUBIC, box=box), dtype=np.float32)


def _step(inside: npt.NDArray[np.floating], softness: float) -> FloatImage:
    """Return a ramp from 0 to 1 where `inside` becomes positive."""
    ramp: FloatImage = np.clip(inside / (2 * softness) + 0.5, 0.0, 1.0)
    return ramp


def _blend(image: FloatImage, colour: Colour, share: FloatImage | None) -> None:
    if share is not None:
        for channel, value in enumerate(colour):
            image[channel] += share * (np.float32(value) - image[channel])


def _absorb(image: FloatImage, absorption: Colour, depth: FloatImage | None) -> None:
    if depth is not None:
        for channel, value in enumerate(absorption):
            image[channel] *= np.exp(np.float32(-value) * depth)
