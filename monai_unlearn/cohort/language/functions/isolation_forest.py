"""Scores of an isolation forest.

F. Liu, K. Ting and Z. Zhou, Isolation Forest (2008), as scikit-learn computes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SEED = 0


def isolation_forest_scores(rows: npt.NDArray[np.float64], counts: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Return the anomaly score of each distinct row of a cohort (equation 2 of the paper).

    The forest is seeded, and grown on rows in ascending order: the order of files changes nothing.

    Args:
        rows: The distinct rows, ascending, shape (rows, features).
        counts: How many images have each row, shape (rows,).

    Returns:
        Scores in (0, 1], shape (rows,), higher is more anomalous; NaN where the cohort is a single image.
    """
    import numpy as np
    from sklearn.ensemble import IsolationForest

    if counts.sum() <= 1:
        return np.full(len(rows), np.nan)
    forest = IsolationForest(random_state=_SEED).fit(np.repeat(rows, counts, axis=0))
    scores: npt.NDArray[np.float64] = -forest.score_samples(rows)
    return scores
