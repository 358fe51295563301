"""Tables of cohort statistics that Python computes: the rows come from DuckDB, the scores go back to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

    from monai_unlearn.cohort.language.functions.statistic import Scores
    from monai_unlearn.cohort.query.sql import Sql


@dataclass(frozen=True)
class ComputedTable:
    """A table that must be registered in the database before a statement that joins it is executed.

    Attributes:
        name: The name of the table.
        rows: The query of the cohort's keys, then its values; none of them is missing.
        keys: How many columns are keys.
        scores: Computes the scores of one group.
        figure: The name of the column of scores.
    """

    name: str
    rows: Sql
    keys: int
    scores: Scores
    figure: str

    def compute(self, rows: pa.Table) -> pa.Table:
        """Return the distinct rows with their scores.

        Args:
            rows: The result of the query, a row per image.
        """
        import pandas as pd

        names, features = rows.column_names[: self.keys], rows.column_names[self.keys :]
        schema = pa.schema([*(rows.schema.field(name) for name in rows.column_names), (self.figure, pa.float64())])
        frame = rows.to_pandas()
        groups = [group for _, group in frame.groupby(names, sort=True)] if names else [frame]
        scored = [self._scored(group, names, features) for group in groups if len(group)]
        if not scored:
            return schema.empty_table()
        return pa.Table.from_pandas(pd.concat(scored), schema=schema, preserve_index=False)

    def _scored(self, group: pd.DataFrame, names: list[str], features: list[str]) -> pd.DataFrame:
        import pandas as pd

        # Distinct rows in ascending order: the order of the files changes nothing.
        distinct, counts = np.unique(group[features].to_numpy(dtype=float), axis=0, return_counts=True)
        table = pd.DataFrame(distinct, columns=features)
        for name in names:
            table[name] = group[name].iloc[0]
        table[self.figure] = self.scores(distinct, counts)
        return table
