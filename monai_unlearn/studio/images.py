"""Some images of each part, small, by number: made in memory when asked for, and only with --show-images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.card.thumbnails import thumbnail_png
from monai_unlearn.cohort.query.stored import stored
from monai_unlearn.errors import InputError

if TYPE_CHECKING:
    from monai_unlearn.cohort import Cohort
    from monai_unlearn.studio.studio import Studio

MOST = 6
"""Images of a part that are shown."""
_SEED = 0


def some_images(cohort: Cohort) -> dict[str, list[int]]:
    """Return the numbers of some images of each part that has any, as they stand in the index, from 1.

    They are drawn by a fixed seed: the same spec shows the same images.
    """
    found = {}
    for part, mask in cohort.membership.items():
        rows = np.flatnonzero(mask)
        if len(rows):
            drawn = np.random.default_rng(_SEED).choice(rows, min(MOST, len(rows)), replace=False)
            found[part] = [int(row) + 1 for row in np.sort(drawn)]
    return found


def picture(studio: Studio, number: str) -> bytes:
    """Return a small picture of an image, a PNG without metadata.

    Args:
        studio: The studio.
        number: The image's number in the index, from 1.

    Raises:
        InputError: Images are not to be shown, there is none of this number, or its file cannot be read.
    """
    index = studio.index
    if not studio.settings.show_images or index is None:
        raise InputError("images are shown only by a studio that was started with --show-images.")
    row = int(number) - 1 if number.isdecimal() else -1
    if not 0 <= row < index.rows:
        raise InputError("there is no image of this number in the index.")
    mask = np.zeros(index.rows, dtype=bool)
    mask[row] = True
    (found,) = stored(index, [name for name in ("path", "format") if name in index.columns], rows=mask).to_pylist()
    try:
        return thumbnail_png(Path(found["path"]), found.get("format"))
    except Exception:  # noqa: BLE001 - a decoder may raise anything, with a path in its message
        raise InputError(
            f"image number {int(number):,} cannot be shown: its file is gone, or cannot be decoded."
        ) from None
