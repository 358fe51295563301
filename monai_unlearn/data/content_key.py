"""What decoded images depend on, as a digest: the transform, and the content of each file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.data.pixel_digest import Seen
from monai_unlearn.data.transform_digest import transform_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monai_unlearn.data.pixel_digest import PixelCheck


def content_key(
    items: Sequence[Mapping[str, Any]], transform: Callable[[Any], Any], pixels: PixelCheck | None
) -> str | None:
    """Return a digest of a transform and of the content of each image, in order; None where either cannot be told.

    Args:
        items: The items; `image` is a path.
        transform: What is applied to them.
        pixels: Has the digest of each image's pixels, where one was taken. Otherwise size and time stand for it.
    """
    what = transform_digest(transform)
    if what is None:
        return None
    digest = hashlib.sha256(what.encode())
    for item in items:
        content = content_of(item, pixels)
        if content is None:
            return None
        digest.update(content.encode() + b"\0")
    return digest.hexdigest()


def content_of(item: Any, pixels: PixelCheck | None) -> str | None:  # noqa: ANN401 - an item of any config
    """Return what a transformed item depends on, as text.

    That is the digest of its pixels, size and time of the file, the item itself, and size and time of files that it
    names beside the image, such as a mask.

    Returns:
        The text; None where the item names no file, or the file is not there: the reader says so.
    """
    try:
        seen = pixels.seen.get(str(item["image_id"])) if pixels is not None else None
        if seen is None:
            stat = Path(item["image"]).stat()
            seen = Seen(None, stat.st_size, stat.st_mtime_ns)
        beside = [_stamps(value) for key, value in item.items() if key != "image" and isinstance(value, str)]
        return f"{seen} {sorted(item.items())} {[one for one in beside if one]}"
    except (OSError, KeyError, TypeError, AttributeError):
        return None


def _stamps(text: str) -> tuple[int, int] | None:
    """Return size and time of the file that a text names; None where it names none."""
    if os.sep not in text:
        return None
    try:
        stat = os.stat(text)  # noqa: PTH116 - of each of many items
    except (OSError, ValueError):
        return None
    return stat.st_size, stat.st_mtime_ns
