"""Isolation forests of a cohort, or of each of its groups.

F. Liu, K. Ting and Z. Zhou, Isolation Forest (2008), as scikit-learn computes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    import numpy.typing as npt

_SEED = 0


def forest_scores(rows: pa.Table, *, keys: int, score: str) -> pa.Table:
    """Return the anomaly score of each different row.

    Args:
        rows: The groups' keys, then the features, none of them missing; a row for each image.
        keys: How many columns are keys.
        score: What to call the column of scores.

    Returns:
        The different rows with their scores in (0, 1], higher being odder; a group of one row has none.
    """
    names, features = rows.column_names[:keys], rows.column_names[keys:]
    frame = rows.to_pandas()
    groups = [group for _, group in frame.groupby(names, sort=True)] if names else [frame]
    scored = [_scored(group, names, features, score) for group in groups if len(group) > 1]
    if not scored:
        return rows.slice(0, 0).append_column(score, pa.array([], pa.float64()))
    fields = [rows.schema.field(name) for name in rows.column_names]
    return pa.Table.from_pandas(
        pd.concat(scored), schema=pa.schema([*fields, (score, pa.float64())]), preserve_index=False
    )


def _scored(group: pd.DataFrame, names: list[str], features: list[str], score: str) -> pd.DataFrame:
    # In the order of the values, so that the order of the files changes nothing.
    different, counts = np.unique(group[features].to_numpy(dtype=float), axis=0, return_counts=True)
    table = pd.DataFrame(different, columns=features)
    for name in names:
        table[name] = group[name].iloc[0]
    table[score] = _anomaly(different, counts)
    return table[[*names, *features, score]]


def _anomaly(different: npt.NDArray[np.float64], counts: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(random_state=_SEED).fit(np.repeat(different, counts, axis=0))
    scores: npt.NDArray[np.float64] = -forest.score_samples(different)
    return scores
