"""Left or right: the words for it, and what several tags say together.

DICOM states the side of an image in three places: Image Laterality (per image), Laterality (per series) and Frame
Laterality (in functional groups). Each should be R, L, B (both) or U (unpaired), but hospitals also write `OS`, `left`
or `l`. Descriptions are not read: in a Series Description `OS` may as well stand for something else, and a side that is
guessed is worse than one that is unknown.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LATERALITY = "laterality"
LATERALITY_TAGS = ("ImageLaterality", "Laterality", "FrameLaterality")
UNPAIRED = "U"

# By side: words in English, Latin, German, French, Spanish and Italian, without points and spaces, in lower case.
_SPELLED = {
    "R": "r rt right righteye rightside od dx dexter dextra oculusdexter rechts droit droite derecho derecha destra",
    "L": "l lt left lefteye leftside os sin sx sinister sinistra oculussinister links gauche izquierdo izquierda",
    "B": "b both botheyes bothsides bilateral ou oculiuterque oculusuterque beide beidseits",
    "U": "u unpaired",
}
WORDS: Mapping[str, str] = {word: side for side, words in _SPELLED.items() for word in words.split()}
# What is passed over within a word, as a regular expression.
IGNORED = r"[\s._\-/()]+"


class Laterality(Enum):
    """Why the side of an image is unknown although its tags have values."""

    CONTRADICTING = "contradicting"
    INVALID = "invalid"


def side_of(text: str) -> str | None:
    """Return R, L, B or U for a word; null if it is none of the known ones.

    >>> side_of("O.S."), side_of("Left eye"), side_of("b"), side_of("upper")
    ('L', 'L', 'B', None)
    """
    return WORDS.get(re.sub(IGNORED, "", text.strip("\0")).lower())


def laterality_of(values: Iterable[object]) -> str | Laterality | None:
    r"""Return R, L or B from the values of the tags; null if they have none, or the image is of an unpaired organ.

    Args:
        values: The texts of the tags; several values of one are joined by backslashes.

    >>> laterality_of(["OS", None, "L"]), laterality_of(["R", "L"]), laterality_of([None, "upper"])
    ('L', <Laterality.CONTRADICTING: 'contradicting'>, <Laterality.INVALID: 'invalid'>)
    """
    texts = {text for value in values if isinstance(value, str) for text in value.split("\\") if text.strip()}
    if not texts:
        return None
    sides = {side_of(text) for text in texts}
    if None in sides:
        return Laterality.INVALID
    if len(sides) > 1:
        return Laterality.CONTRADICTING
    (side,) = sides
    return None if side == UNPAIRED else side
