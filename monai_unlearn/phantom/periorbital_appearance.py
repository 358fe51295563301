"""The appearance of a face beyond its label map: skin, irises, brows, redness and swelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from monai_unlearn.phantom.periorbital_texture import Colour

# Reflectances in red, green and blue.
_SKINS: tuple[Colour, ...] = ((0.94, 0.75, 0.64), (0.86, 0.64, 0.51), (0.72, 0.51, 0.38), (0.50, 0.34, 0.25))
_IRISES: tuple[Colour, ...] = ((0.30, 0.19, 0.11), (0.42, 0.30, 0.16), (0.36, 0.42, 0.28), (0.34, 0.46, 0.58))
_HAIRS: tuple[Colour, ...] = ((0.10, 0.07, 0.06), (0.22, 0.14, 0.09), (0.38, 0.26, 0.16))


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """The appearance of a face beyond its label map.

    Attributes:
        skin: Reflectances of the skin.
        iris: Reflectances of the iris.
        hair: Reflectances of the brow.
        redness: Redness of conjunctiva and lids, 0 to 1.
        swelling: Swelling of the lids, 0 to 1.
        pupil: Diameter of the pupil over that of the iris, 0 to 1.
        lines: Strength of folds and shadows, 0 to 1.
    """

    skin: Colour
    iris: Colour
    hair: Colour
    redness: float
    swelling: float
    pupil: float
    lines: float


def draw_appearance(rng: np.random.Generator, *, redness: float = 0.15, swelling: float = 0.15) -> Appearance:
    """Draw the appearance of a face."""
    dark = rng.random()  # darker skin comes with darker eyes and hair
    return Appearance(
        skin=_between(_SKINS, float(np.clip(dark + rng.normal(0.0, 0.05), 0.0, 1.0))),
        iris=_between(_IRISES, float(rng.beta(1.0, 1.0 + 2.5 * dark))),
        hair=_between(_HAIRS, float(rng.beta(1.0, 1.0 + 3.0 * dark))),
        redness=redness,
        swelling=swelling,
        pupil=rng.uniform(0.28, 0.46),
        lines=rng.uniform(0.2, 1.0),
    )


def _between(colours: tuple[Colour, ...], place: float) -> Colour:
    """Return the colour at a place, 0 to 1, along a row of colours."""
    steps = np.linspace(0.0, 1.0, len(colours))
    red, green, blue = (float(np.interp(place, steps, channel)) for channel in zip(*colours, strict=True))
    return red, green, blue
