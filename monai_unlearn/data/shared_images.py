"""Decoded images that the runs of an experiment share: each is decoded by the run that needs it first.

Each is a file of its own, written aside and renamed, so that runs need no lock: two that decode the same image at once
write the same bytes. A run takes an image over only if its file is the one that was decoded: the name is a digest of
the transform, of what the item holds, and of the file's pixels, size and time as this run has found them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.cache_folder import shared_folder
from monai_unlearn.data.content_key import content_of
from monai_unlearn.data.item_file import read_item, to_file
from monai_unlearn.data.record_layout import RecordLayout
from monai_unlearn.data.transform_digest import transform_digest
from monai_unlearn.errors import ConfigError
from monai_unlearn.staging import staged_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from monai_unlearn.data.pixel_digest import PixelCheck

FOLDER = "images"
# Numbers an item within its list, which differs from cohort to cohort, and says nothing of the image.
ROW = "row"
SHARE = 0.25
"""Images are shared where they take at most this share of what is free on the disk: runs write there too."""


class SharedImages:
    """The decoded images of one transform, in the folder that an experiment shares among its runs.

    Where the disk is full, or an image cannot be written as `RecordLayout` writes it, it is decoded by each run.

    Args:
        folder: The folder, which exists.
        transform: Deterministic preprocessing of an item; what it makes of one does not depend on `row`.
        digest: The digest of the transform.
        pixels: What the files were when they were compared with the index.
    """

    # MONAI's loaders seed the random transforms that they find in all attributes of a data set, one after the other:
    # what they found here would change the seed of those after it. They do not look into slots.
    __slots__ = ("_digest", "_folder", "_pixels", "_transform", "_writes")

    def __init__(
        self, folder: Path, transform: Callable[[Any], Any], *, digest: str, pixels: PixelCheck | None
    ) -> None:
        self._folder, self._transform, self._digest, self._pixels = folder, transform, digest, pixels
        self._writes = True

    @classmethod
    def of(
        cls, transform: Callable[[Any], Any], *, pixels: PixelCheck | None, cache_dir: str | Path | None
    ) -> SharedImages | None:
        """Return the shared images of a transform; None where nothing is shared.

        Args:
            transform: As above.
            pixels: As above.
            cache_dir: The folder that decoded images are to be kept in, if the user names one: then only in there.
        """
        folder, digest = shared_folder(), transform_digest(transform)
        if folder is None or digest is None:
            return None
        if cache_dir and not folder.resolve().is_relative_to(Path(cache_dir).resolve()):
            return None
        return cls(folder, transform, digest=digest, pixels=pixels)

    def limit(self, needed: int) -> None:
        """Write no more images if all of them, of so many bytes, would take too much of the disk."""
        try:
            self._writes = self._writes and needed <= SHARE * shutil.disk_usage(self._folder).free
        except OSError:
            self._writes = False

    def transformed(self, item: Any) -> Any:  # noqa: ANN401 - an item of any config
        """Return a transformed item: from the folder, or else by the transform, and then the folder has it."""
        path = self._path(item)
        if path is None:
            return self._transform(item)
        found = read_item(path, item)
        return self._made(path, item) if found is None else found

    def _made(self, path: Path, item: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        """Transform an item, and write it unless that cannot be."""
        made = self._transform(item)
        try:
            layout = RecordLayout.of(item, made)
        except ConfigError:
            return made
        record = layout.encode(item, made)
        content = to_file(layout, record)
        if content is None or any(field.key == ROW for field in layout.fields):
            return made
        self._write(path, content)
        # As the next run gets it: a plain tensor, where the transform gives one with metadata.
        return layout.decode(item, bytearray(record))

    def _write(self, path: Path, content: bytes) -> None:
        # What a killed experiment shared with this run is removed by the next one, and is not made again.
        if not self._writes or not self._folder.is_dir():
            return
        try:
            with staged_file(path) as aside:
                aside.write_bytes(content)
        except OSError:
            self._writes = False

    def _path(self, item: Any) -> Path | None:  # noqa: ANN401 - as above
        if not isinstance(item, Mapping):
            return None
        content = content_of({key: value for key, value in item.items() if key != ROW}, self._pixels)
        if content is None:
            return None
        name = hashlib.sha256(f"{self._digest} {content}".encode()).hexdigest()
        return self._folder / FOLDER / name[:2] / name
