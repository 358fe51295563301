"""Whether the images of a frozen cohort still have their pixels, where the index has digests of them.

A run keeps the digest of every image that it loaded with the members. `cohort freeze` loads none: from an index with
`--pixel-digest` it keeps one digest of them all in the manifest, since a digest per image would take more room than all
else that is frozen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from monai_unlearn.cohort.query.stored import stored
from monai_unlearn.index.store.schema import PIXEL_DIGEST
from monai_unlearn.index.usable import usable_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from monai_unlearn.index import Index


@dataclass(frozen=True)
class PixelComparison:
    """How the pixels of the images compare with those that were frozen.

    Attributes:
        compared: How many images have a digest on both sides.
        changed: How many of them have other pixels; null where only the digest of them all shows that some have.
        same: Whether all of them have their pixels.
    """

    compared: int
    changed: int | None
    same: bool

    def to_dict(self) -> dict[str, Any]:
        """Return this as plain values."""
        return vars(self)


def pixels_in(index: Index, images: pa.ChunkedArray) -> pa.Table | None:
    """Return `image_id` and `pixel_digest` of some images, sorted by identifier; null where the index has no digests.

    Args:
        index: The index.
        images: Their identifiers.

    Raises:
        IndexReadError: The index cannot be read.
    """
    if PIXEL_DIGEST not in index.columns:
        return None
    rows = stored(index, ["image_id", PIXEL_DIGEST, "fault"])
    rows = rows.filter(pc.and_(usable_array(rows["fault"]), pc.is_in(rows["image_id"], images.combine_chunks())))
    return rows.select(["image_id", PIXEL_DIGEST]).sort_by("image_id")


def digest_of_pixels(pixels: pa.Table) -> str:
    """Return `sha256:…` over the digests of images, and whose they are.

    Args:
        pixels: What `pixels_in` returned.
    """
    lines = zip(*(pixels[name].to_pylist() for name in pixels.column_names), strict=True)
    content = "".join(f"{image} {digest or '-'}\n" for image, digest in lines)
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def compare_pixels(
    frozen: Mapping[str, str], digest: str | None, images: pa.ChunkedArray, now: pa.Table | None
) -> PixelComparison | None:
    """Return how the pixels of frozen images compare with what they are now; null where one side has no digests.

    Args:
        frozen: The digest of each image that a run loaded, by identifier.
        digest: The digest of all of them, from the manifest.
        images: The identifiers of the frozen images.
        now: What `pixels_in` returns for them.
    """
    if now is None or not (frozen or digest):
        return None
    found = dict(zip(*(now[name].to_pylist() for name in now.column_names), strict=True))
    both = [image for image, known in frozen.items() if known and found.get(image)]
    changed = sum(found[image] != frozen[image] for image in both)
    if frozen or len(found) < len(images):  # a missing image has no pixels to compare, and is reported as missing
        return PixelComparison(len(both), changed, not changed) if both else None
    same = digest_of_pixels(now) == digest
    return PixelComparison(len(found), 0 if same else None, same)
