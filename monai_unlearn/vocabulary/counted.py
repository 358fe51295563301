"""Counts with their nouns, for every text that people read: `1 image is`, `2 images are`."""

from __future__ import annotations


def counted(count: int | str, one: str, many: str | None = None) -> str:
    """Return a count and what is counted, in the singular or plural.

    Args:
        count: The count, or the text that is shown in its place; such a text never tells that there is one.
        one: What follows a count of one.
        many: What follows any other count; without it, `one` with an `s`.

    >>> counted(1, "image"), counted(1200, "image is", "images are"), counted("<5", "study", "studies")
    ('1 image', '1,200 images are', '<5 studies')
    """
    number = count if isinstance(count, str) else f"{count:,}"
    return f"{number} {one if count == 1 else many or f'{one}s'}"
