"""The rows of an index that belong to one part of a cohort, as pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.cohort.query.stored import stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from monai_unlearn.cohort.query.answers import CategoricalColumn, Mask
    from monai_unlearn.index import Index


def part_rows(index: Index, mask: Mask, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the rows of a part, sorted by `image_id`, with the types that `Index.frame` gives them.

    Texts stay in Arrow's memory: as Python objects, those of a million rows take gigabytes.

    Args:
        index: The index.
        mask: The rows of the part, shape (rows,).
        columns: The columns to return, in this order; all by default.

    Raises:
        IndexReadError: The index cannot be read, or was changed since it was opened.
    """
    import pandas as pd

    from monai_unlearn.index.store.pandas_types import PANDAS_TYPES

    names = list(dict.fromkeys(index.columns if columns is None else columns))
    rows = stored(index, list(dict.fromkeys([*names, "image_id"])), rows=mask)
    table = rows.take(pc.sort_indices(rows["image_id"])).select(names)
    types = {**PANDAS_TYPES, pa.string(): pd.StringDtype("pyarrow")}
    # `split_blocks`: pandas would copy all columns of one type into one block.
    frame: pd.DataFrame = table.to_pandas(types_mapper=types.get, split_blocks=True)
    return frame


def image_ids(image: CategoricalColumn, mask: Mask) -> pa.Array:
    """Return the identifiers of a part's images, sorted.

    Args:
        image: The identifiers of all rows.
        mask: The rows of the part, shape (rows,).
    """
    chosen = image.texts.take(pa.array(image.codes[mask]))
    return chosen.take(pc.sort_indices(chosen))
