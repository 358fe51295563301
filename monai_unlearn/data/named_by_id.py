"""Errors about an image of an index name it by its identifier: paths may hold names of patients."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

IMAGE_ID = "image_id"


@contextmanager
def named_by_id(item: Mapping[Hashable, Any], path: object) -> Iterator[None]:
    """Replace the path in a `DataError` by the identifier of the item, where it has one.

    Items of a folder that a user named have none: there the path is the user's own.

    Args:
        item: The item that is read.
        path: The path in it.

    Raises:
        DataError: The block raised one.
    """
    try:
        yield
    except DataError as error:
        if IMAGE_ID not in item:
            raise
        text = str(error).replace(str(path), f"image {item[IMAGE_ID]}")
        raise DataError(f"{text} Its path is in the index, in the column path.") from None
