"""The values of a tag path in a dataset: several items of a sequence behave like several values."""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence

from monai_unlearn.index.readers.lenient import MALFORMED, value_of
from monai_unlearn.index.values import LARGEST_EXACT_WHOLE, UNDECODED, is_empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

    from monai_unlearn.index.tag_path import Step, TagPath

# More values than this of one image are not stored.
MOST_VALUES = 1000


def value_of_path(dataset: Dataset, path: TagPath) -> object:
    """Return the decoded value of a path in a file: null if it has none, a list if there are several.

    Args:
        dataset: The top level of the file.
        path: Any path; functional groups are not searched.
    """
    within = getattr(dataset, "file_meta", None) if path.is_meta else dataset
    if within is None:
        return None
    if path.is_plain:
        return value_of(within, str(path))
    found = Distinct()
    found.add(values_in(within, path.steps))
    return found.merged()


def values_in(dataset: Dataset, steps: Several[Step]) -> Iterator[object]:
    """Yield the decoded value of the last step in each item that has one; `UNDECODED` if it cannot be decoded.

    Args:
        dataset: Where the first step begins.
        steps: A path, or the rest of one.
    """
    tag = steps[0].tag_in(dataset)
    if tag is None:
        return
    value = value_at(dataset, tag)
    if len(steps) == 1:
        if not isinstance(value, Sequence) and not is_empty(value):
            yield value
    elif isinstance(value, Sequence):
        for item in value:
            yield from values_in(item, steps[1:])


def value_at(dataset: Dataset, tag: BaseTag) -> object:
    """Return the decoded value of a tag that the dataset has; `UNDECODED` if it cannot be, or was too long to load."""
    try:
        raw = dataset.get_item(tag, keep_deferred=True)
        if isinstance(raw, RawDataElement) and raw.value is None and raw.length:
            return UNDECODED
        return dataset[tag].value
    except MALFORMED:
        return UNDECODED


@dataclass
class Distinct:
    """The different values of one tag over several items, each once, in the order of the items.

    Attributes:
        values: The values, by how they are spelled.
        is_too_many: Whether there were more than are stored.
    """

    values: dict[tuple[str, ...], object] = field(default_factory=dict)
    is_too_many: bool = False

    def add(self, values: Iterable[object]) -> None:
        """Take the values of an item."""
        for value in values:
            key = tuple(map(spelled, _parts(value)))
            if key not in self.values and len(self.values) >= MOST_VALUES:
                self.is_too_many = True
                return
            self.values.setdefault(key, value)

    def merged(self) -> object:
        """Return them as one value: null if there is none, the value if there is one, otherwise a list of texts."""
        if self.is_too_many:
            return UNDECODED
        if len(self.values) < 2:  # noqa: PLR2004 - one value stays what it is
            return next(iter(self.values.values()), None)
        return list(dict.fromkeys(part for parts in self.values for part in parts))


def spelled(value: object) -> str:
    """Return a value as text, equal numbers alike: 1.50 and 1.5 are `1.5`, 3.0 is `3`."""
    if isinstance(value, float | Decimal):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) <= LARGEST_EXACT_WHOLE else repr(number)
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return str(value).strip(" \0")


def _parts(value: object) -> Several[object]:
    """Return the values of an element; a MultiValue is no tuple or list, but a sequence."""
    return value if isinstance(value, Several) and not isinstance(value, str | bytes) else [value]
