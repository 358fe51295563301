"""Small pictures of forgotten images, for a page that stays with the evidence; a card that travels never has them."""

from __future__ import annotations

import base64
import hashlib
import io
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.index import Index
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MOST = 24
"""How many images a page shows."""
SIDE = 128
"""Longest side of a thumbnail in pixels."""
WINDOW = (1.0, 99.0)
"""Percentiles of grey values that become black and white: a file's own window is for its whole depth."""
_COLOUR = 3


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A picture of a forgotten image.

    Attributes:
        label: The class that the image is labelled with; empty where the index has none.
        source: The picture, a PNG without metadata, as a `data:` address.
    """

    label: str
    source: str


def thumbnails(bundle: Path, index_dir: Path, *, index_digest: str) -> tuple[Thumbnail, ...]:
    """Return pictures of up to `MOST` forgotten images, the classes in turn, in an order that no name decides.

    Args:
        bundle: The bundle, as the run wrote it: with `evidence/` beside it.
        index_dir: The index of the images.
        index_digest: The digest of the index that the run used, as the card has it.

    Raises:
        ConfigError: There is no evidence beside the bundle.
        CohortError: The frozen cohort in it is damaged.
        IndexReadError: The index cannot be read.
        DataError: It is another index than the run's, or none of the images can be read.
    """
    run = RunFolder(bundle.resolve().parent)
    if not run.members.is_file():
        raise ConfigError(
            f"{run.members} is missing: it says which images were forgotten. Show the card of the bundle where the run "
            "wrote it, beside its evidence, or leave out --include-images."
        )
    index = Index.open(index_dir)
    if index.digest != index_digest:
        raise DataError(
            f"{index_dir}: expected the index of the run ({index_digest}), got {index.digest}. Give --index the folder "
            "that the run had as index_dir."
        )
    forgotten = {name for name, part in Frozen.read(run.evidence).parts.items() if part == "forget"}
    found = chain.from_iterable(_shown(row) for row in _in_turn(_rows(index, forgotten)))
    shown = tuple(islice(found, MOST))
    if not shown:
        raise DataError(
            f"{index_dir}: none of the {len(forgotten)} forgotten images can be read. Run where their files are, or "
            "leave out --include-images."
        )
    return shown


def _rows(index: Index, wanted: set[str]) -> list[dict[str, Any]]:
    names = ["image_id", "path", "format"] + ([index.label] if index.label else [])
    frame = index.frame([name for name in names if name in index.columns])
    frame["label"] = frame[index.label].fillna("") if index.label else ""
    found = frame[frame["image_id"].isin(wanted)].to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in found]


def _in_turn(rows: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """Return one row of each class, then another of each; within a class, by a hash of the identifier."""
    by_label: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: hashlib.sha256(str(row["image_id"]).encode()).digest()):
        by_label[row["label"]].append(row)
    rounds = zip_longest(*(by_label[label] for label in sorted(by_label)))
    return [row for one in rounds for row in one if row is not None]


def _shown(row: Mapping[str, Any]) -> list[Thumbnail]:
    """Return the picture of a row; none where its file is gone or cannot be decoded."""
    try:
        content = thumbnail_png(Path(row["path"]), row.get("format"))
    except Exception:  # noqa: BLE001 - a decoder may raise anything; the page shows the other images
        return []
    source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return [Thumbnail(label=row["label"], source=source)]


def thumbnail_png(path: Path, file_format: object) -> bytes:
    """Return a small picture of an image, a PNG without metadata, made in memory.

    Args:
        path: The file.
        file_format: Its format by the index: `dicom`, `nifti`, or any other for a plain image.

    Raises:
        Exception: It cannot be decoded; a decoder may raise anything.
    """
    return _png(_pixels(path, file_format))


def _pixels(path: Path, file_format: object) -> NDArray[Any]:
    """Return an image, shape (height, width) in any unit or (height, width, 3) in [0, 1]."""
    if file_format == "dicom":
        return _dicom(path)
    if file_format == "nifti":
        return _middle_slice(path)
    from monai_unlearn.index.readers.image_options import ImageOptions
    from monai_unlearn.index.readers.image_pixels import image_pixels

    return image_pixels(path, options=ImageOptions(frame=0, background=0.0))


def _dicom(path: Path) -> NDArray[Any]:
    from monai_unlearn.index.readers.dicom_pixels import decoded, frame_count, opened_pixels

    with opened_pixels(path) as dataset:
        pixels: NDArray[np.float64] = np.asarray(decoded(dataset, frame_count(dataset) // 2), np.float64)
        if pixels.ndim == _COLOUR:
            return np.asarray(pixels / (2 ** int(dataset.BitsStored) - 1))
        return np.asarray(-pixels) if dataset.get("PhotometricInterpretation") == "MONOCHROME1" else pixels


def _middle_slice(path: Path) -> NDArray[Any]:
    import nibabel

    image: Any = nibabel.as_closest_canonical(nibabel.load(path))
    # Columns to the left of the patient on the right, rows to the back: radiological orientation.
    middle: NDArray[np.float64] = np.asarray(image.dataobj[..., image.shape[2] // 2], np.float64)[::-1, ::-1].T
    return middle


def _png(pixels: NDArray[Any]) -> bytes:
    from PIL import Image

    if pixels.ndim < _COLOUR:
        low, high = np.percentile(pixels, WINDOW)
        pixels = (pixels - low) / max(high - low, 1e-12)
    picture = Image.fromarray(np.round(255 * np.clip(np.nan_to_num(pixels), 0, 1)).astype(np.uint8))
    picture.thumbnail((SIDE, SIDE))
    content = io.BytesIO()
    picture.save(content, format="PNG", optimize=True)
    return content.getvalue()
