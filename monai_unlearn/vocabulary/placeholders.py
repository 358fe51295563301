"""Values that stand in place of a patient's identifier, such as ANONYMOUS: they name nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from monai_unlearn.strict_yaml import load

_NOT_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Placeholders:
    """The parsed `placeholders.yaml`.

    Attributes:
        words: Values in lower case, without spaces and punctuation.
        zeros: A pattern for whole values that are placeholders unless the values are counted from zero.
    """

    words: frozenset[str]
    zeros: re.Pattern[str]


@cache
def placeholders() -> Placeholders:
    """Return the shipped `placeholders.yaml`, read once."""
    text = resources.files("monai_unlearn.vocabulary").joinpath("placeholders.yaml").read_text(encoding="utf-8")
    content = load(text, source="placeholders.yaml")
    return Placeholders(frozenset(content["words"]), re.compile(content["zeros"]))


@lru_cache(maxsize=65_536)
def is_placeholder(identifier: str, *, zeros: bool = True) -> bool:
    """Return whether a value in place of a patient's identifier names nobody.

    Args:
        identifier: The value.
        zeros: Whether `0` and `00000000` are placeholders, too; false where patients may be numbered from zero.

    >>> [is_placeholder(value) for value in ("ANONYMOUS", "***", " ", "XXXX", "De-Identified", "MRN-0077", "X-9")]
    [True, True, True, True, True, False, False]
    """
    return _is_known(identifier) or (zeros and placeholders().zeros.fullmatch(identifier.strip()) is not None)


def _is_known(identifier: str) -> bool:
    word = _NOT_LETTERS.sub("", identifier).casefold()
    only_x = len(word) > 1 and not word.strip("x")
    return not word or only_x or word in placeholders().words
