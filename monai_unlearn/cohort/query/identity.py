"""What the rows of an index are, whatever is asked of them: read once for all questions, and no earlier than needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.query.answers import CategoricalColumn, Identity
from monai_unlearn.cohort.query.arrays import encoded, known, numbers
from monai_unlearn.cohort.query.distinct import count_distinct
from monai_unlearn.cohort.query.stored import stored
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.usable import is_usable
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from monai_unlearn.cohort.query.answers import Mask
    from monai_unlearn.index import Index

UNITS = ("series", "study", "patient")

# The identity of the last index that was queried: it is most of the cost of a query, and the same for all of them.
_KEPT: dict[tuple[object, ...], Identity] = {}


class Units(Mapping[str, CategoricalColumn]):
    """Series, study and patient of each row; each is read when it is first asked for.

    Args:
        index: The index.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._read: dict[str, CategoricalColumn] = {}

    def __getitem__(self, unit: str) -> CategoricalColumn:
        """Return one of them.

        Raises:
            IndexReadError: The index cannot be read, or was changed since it was opened.
        """
        if unit not in UNITS:
            raise KeyError(unit)
        if unit not in self._read:
            self._read[unit] = CategoricalColumn.of(stored(self._index, [unit], encoded=[unit])[unit])
        return self._read[unit]

    def __iter__(self) -> Iterator[str]:
        """Yield their names."""
        return iter(UNITS)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(UNITS)


def identity_of(index: Index, text_of: Callable[[str], pa.ChunkedArray]) -> Identity:
    """Return what the rows of an index are, read once while the files of its parts do not change.

    Args:
        index: The index.
        text_of: Returns a column of other values as texts, a row per row of the index.

    Raises:
        IndexReadError: A part cannot be read, or an image has two usable rows.
    """
    states = [(str(part), part.stat().st_size, part.stat().st_mtime_ns) for part in index.parts]
    key = (str(index.directory.resolve()), index.digest, index.label, *states)
    if key not in _KEPT:
        found = _read(index, text_of)
        _KEPT.clear()
        _KEPT[key] = found
    return _KEPT[key]


def _read(index: Index, text_of: Callable[[str], pa.ChunkedArray]) -> Identity:
    label, texts = index.label, ["fault", "faults"]
    has_text = label is not None and index.columns.get(label) is Kind.TEXT
    if has_text and label not in texts:
        texts.append(str(label))
    codes = [name for name in texts if name != "image_id"]  # which may be the label
    table = stored(index, ["image_id", *codes], encoded=codes)
    classes = None if label is None else table[label] if has_text else text_of(label)
    readable = _readable(table["fault"])
    readable.flags.writeable = False  # the same for all questions, so what is counted of it is kept
    identity = Identity(
        image=CategoricalColumn.of_rows(table["image_id"]),
        units=Units(index),
        label=None if classes is None else CategoricalColumn.of(classes),
        readable=readable,
        faults=CategoricalColumn.of(table["faults"]),
    )
    _check_unique(identity, index)
    return identity


def _readable(faults: pa.ChunkedArray) -> Mask:
    """Return which rows count as images, shape (rows,), asked once for each fault that occurs."""
    codes = encoded(faults)
    usable = np.array([*map(is_usable, codes.dictionary.to_pylist()), is_usable(None)])
    found: Mask = usable[np.where(known(codes.indices), numbers(codes.indices), -1)]
    return found


def _check_unique(identity: Identity, index: Index) -> None:
    images = int(identity.readable.sum())
    distinct = count_distinct(identity.image.texts, identity.readable & (identity.image.codes >= 0))
    if distinct < images:
        raise IndexReadError(
            f"{index.directory}: expected one row per image, got {counted(images, 'row')} of "
            f"{counted(distinct, 'image')}, so an image could be in two parts of the cohort. Build the index again."
        )
