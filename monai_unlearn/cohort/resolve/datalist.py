"""The images of a cohort as lists: the one place that decides their columns, order, splits and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from monai_unlearn.errors import DataError, check_choice
from monai_unlearn.vocabulary.parts import PARTS, SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monai_unlearn.cohort.resolve.split import SplitRule

COLUMNS = ("image_id", "path", "patient", "part", "split", "label")


def image_table(frames: Mapping[str, pd.DataFrame], *, label: str | None, rule: SplitRule) -> pd.DataFrame:
    """Return one row per image, with `COLUMNS`; ordered by part as in `PARTS`, then as in the frames.

    Splits are assigned over all parts at once, because a patient may have images in two parts.

    Args:
        frames: The rows of an index in each part.
        label: The column of the index that holds the class; None, where the index has no classes.
        rule: How patients are assigned to splits.

    Raises:
        DataError: A `split` column of the index cannot be used.
    """
    filled = [frames[part].assign(part=part) for part in PARTS if part in frames and len(frames[part])]
    if not filled:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(filled, ignore_index=True)
    table = table.assign(split=rule.assign(table), label=table[label] if label else None)
    return table[list(COLUMNS)]


def datalist(table: pd.DataFrame, parts: Iterable[str], split: str) -> list[dict[str, Any]]:
    """Return the images of some parts and one split as MONAI's datasets take them, in the order of the table.

    Returns:
        `{"image": path, "label": class or None, "image_id": …, "patient": … or None}` for each image.

    Raises:
        DataError: A part or the split has another name.
    """
    wanted = tuple(parts)
    for part in wanted:
        check_choice(part, PARTS, name="part", error=DataError)
    check_choice(split, SPLITS, name="split", error=DataError)
    chosen = table[table["part"].isin(wanted) & (table["split"] == split)]
    items = chosen.rename(columns={"path": "image"})[["image", "image_id", "patient", "label"]].astype(object)
    return [
        {str(key): value if pd.notna(value) else None for key, value in item.items()}
        for item in items.to_dict("records")
    ]
