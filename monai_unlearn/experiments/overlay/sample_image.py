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
        labels: The number of images of each class; None where no column holds the class.
        columns: The columns of the index.
    """

    item: Mapping[str, Any]
    labels: Mapping[str, int] | None
    columns: frozenset[str]

    @classmethod
    def of(cls, directory: Path, columns: Mapping[str, str | Sequence[str]]) -> SampleImage:
        """Take the first image, of those that have a class where a column holds it.

        Args:
            directory: The index.
            columns: Columns of the index that fill keys of preprocessing, by key.

        Raises:
            InputError: It is no index, has no image, or lacks a column.
        """
        from monai_unlearn.cohort.resolve.item_columns import item_values
        from monai_unlearn.index import Index, usable_mask

        index = Index.open(directory)
        frame = index.frame()
        frame = frame[usable_mask(frame)]
        if index.label is not None:
            frame = frame[frame[index.label].notna()]
        if frame.empty:
            raise ConfigError(f"the index {directory} has no image with a class. Index images with their classes.")
        first = {str(name): value for name, value in frame.iloc[0].items()}
        item = {"image": str(first["path"]), "label": 0, **item_values(first, columns)}
        labels = None
        if index.label is not None:
            counts = frame[index.label].astype(str).value_counts()
            labels = {str(name): int(count) for name, count in counts.items()}
        return cls(item=item, labels=labels, columns=frozenset(map(str, frame.columns)))
