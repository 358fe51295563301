"""What it is called that an image does not have a label, where it may have several."""

from __future__ import annotations


def absent(label: str) -> str:
    """Return the name of the state in which a label is not there.

    >>> absent("edema")
    'no edema'
    """
    return f"no {label}"
