"""What an index says for an overlay: one of its images to try, and whether its classes are those of the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SampleImage:
    """One image of an index, and the classes that its images have.

    Attributes:
        item: The image as data sets get it: `image`, a path; `label`, 0; and the keys that columns fill.
        labels: The number of images of each class.
    """

    item: Mapping[str, Any]
    labels: Mapping[str, int]

    @classmethod
    def of(cls, directory: Path, columns: Mapping[str, str | Sequence[str]]) -> SampleImage:
        """Take the first image that has a class.

        Args:
            directory: The index.
            columns: Columns of the index that fill keys of preprocessing, by key.

        Raises:
            InputError: It is no index, names no column of the class, has no image, or lacks a column.
        """
        from monai_unlearn.cohort.resolve.item_columns import item_values
        from monai_unlearn.index import Index, usable_mask

        index = Index.open(directory)
        if index.label is None:
            raise ConfigError(
                f"the index {directory} does not say which column holds the class. Run `monai-unlearn index build … "
                "--label FIELD` again."
            )
        frame = index.frame()
        frame = frame[usable_mask(frame) & frame[index.label].notna()]
        if frame.empty:
            raise ConfigError(f"the index {directory} has no image with a class in '{index.label}'. Index the images.")
        counts = {str(name): int(count) for name, count in frame[index.label].astype(str).value_counts().items()}
        first = {str(name): value for name, value in frame.iloc[0].items()}
        values = item_values(first, columns)
        return cls(item={"image": str(first["path"]), "label": 0, **values}, labels=counts)
