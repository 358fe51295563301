"""The parts of a cohort and the splits of a data set, in the order in which every table lists them."""

PARTS = ("forget", "remain", "undetermined")
"""Every readable image of the population is in exactly one part."""

JUDGED_PARTS = tuple(part for part in PARTS if part != "undetermined")
"""Undetermined images are neither to be forgotten nor to be kept: nothing is judged by them."""

SPLITS = ("train", "validation", "test")
"""Splits are independent of parts: a part has images in each split; a patient is in one split only."""

EARLIER = "earlier:"
"""The images that an earlier revision forgot, by its version: `earlier:0.2.0`. They are in none of the parts above."""


def earlier_part(version: str) -> str:
    """Return the part of the images that an earlier revision forgot.

    >>> earlier_part("0.2.0"), is_earlier("earlier:0.2.0"), is_earlier("remain")
    ('earlier:0.2.0', True, False)
    """
    return EARLIER + version


def is_earlier(part: str) -> bool:
    """Return whether a part holds what an earlier revision forgot."""
    return part.startswith(EARLIER)
