"""Augmentation of images that have no metadata, without MONAI's bookkeeping of metadata."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import monai.data
from monai.data import MetaTensor, get_track_meta, set_track_meta

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class AugmentedDataset(monai.data.Dataset):
    """MONAI's `Dataset`, whose transform does not track metadata where the items have none.

    MONAI's spatial transforms otherwise make each image a `MetaTensor` and record what they do to it, which takes
    longer than a flip, and here nobody inverts. Images are the same, bit for bit (benchmarks/step_speed.py).

    Args:
        data: Items, mappings with tensors.
        transform: Random transforms of an item.
    """

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - as MONAI's
        """Return one item, augmented, or a `Subset` of the data for a slice."""
        if not isinstance(index, int):
            return super().__getitem__(index)
        item = self.data[index]
        if self.transform is None:
            return item
        if _has_metadata(item):
            return self.transform(item)
        with _untracked():
            return self.transform(item)


def _has_metadata(item: Mapping[str, Any]) -> bool:
    return any(isinstance(value, MetaTensor) for value in item.values())


@contextmanager
def _untracked() -> Iterator[None]:
    before = get_track_meta()
    set_track_meta(False)
    try:
        yield
    finally:
        set_track_meta(before)
