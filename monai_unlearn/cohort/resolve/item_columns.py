"""Values of an item beside its image: what preprocessing takes from columns of the index."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Keys that every item has.
_TAKEN = ("image", "label", "image_id", "row")


def item_values(row: Mapping[str, Any], columns: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
    """Return the values of an item by key: a text, such as the path of a second file, or numbers.

    A relative path of a file that exists starts at the folder of the image. Numbers of several columns are a list,
    which a transform such as `ToTensord` makes an array.

    Args:
        row: A row of an index: `path`, and the columns.
        columns: The column, or the columns of numbers, of each key.

    Raises:
        ConfigError: A key is one that items have already, a column or a value is missing, or a value is no number.

    >>> item_values({"path": "a.png", "age": 61.0, "thickness": 0.5}, {"clinical": ["age", "thickness"]})
    {'clinical': [61.0, 0.5]}
    """
    if taken := sorted(set(columns) & set(_TAKEN)):
        raise ConfigError(f"columns: items have {', '.join(taken)} already. Give the key another name.")
    return {key: _value(row, names, key) for key, names in columns.items()}


def _value(row: Mapping[str, Any], names: str | Sequence[str], key: str) -> Any:  # noqa: ANN401 - text or numbers
    if not isinstance(names, str):
        return [_number(_cell(row, name, key), name, key) for name in names]
    found = _cell(row, names, key)
    if not isinstance(found, str):
        return _number(found, names, key)
    beside = os.path.join(os.path.dirname(str(row["path"])), found)  # noqa: PTH118, PTH120 - an item of millions
    return beside if os.path.exists(beside) else found  # noqa: PTH110 - as above


def _number(value: Any, name: str, key: str) -> float:  # noqa: ANN401 - whatever the column holds
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ConfigError(
            f"columns: '{name}', which is to fill '{key}', holds something else than a number for an image. Name a "
            "column of numbers, or a column of texts alone and not in a list."
        ) from None


def _cell(row: Mapping[str, Any], name: str, key: str) -> Any:  # noqa: ANN401 - whatever the column holds
    if name not in row:
        raise ConfigError(f"columns: the index has no column '{name}', which is to fill '{key}'. Add it to the table.")
    value = row[name]
    if value is None or value != value:  # noqa: PLR0124 - NaN
        raise ConfigError(
            f"columns: '{name}', which is to fill '{key}', is empty for an image. Fill it in the table, or leave such "
            "images out by the spec's population."
        )
    return value
