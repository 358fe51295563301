"""How pydicom is made to skip malformed values, so that a malformed value loses that value, not the whole file."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pydicom
from pydicom.errors import BytesLengthException

from monai_unlearn.index.values import UNDECODED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

# What pydicom raises for a value that does not fit its value representation.
MALFORMED = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    LookupError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
)


@contextmanager
def lenient_values() -> Iterator[None]:
    """Let pydicom accept malformed values within the block, silently: its messages quote the values."""
    settings, logger = pydicom.config.settings, pydicom.config.logger
    before = settings.reading_validation_mode, logger.disabled
    settings.reading_validation_mode, logger.disabled = pydicom.config.IGNORE, True
    try:
        yield
    finally:
        settings.reading_validation_mode, logger.disabled = before


def value_of(dataset: Dataset, keyword: str) -> object:
    """Return the decoded value of a keyword; `UNDECODED` if it cannot be decoded, null if it is missing."""
    try:
        return dataset.get(keyword)
    except MALFORMED:
        return UNDECODED
