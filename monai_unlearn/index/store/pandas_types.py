"""Which type each column of an index has in pandas. Apart from `store.py`, because loading pandas takes time."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

# Nullable types, so that a missing value never becomes NaN and a whole number never becomes a float.
PANDAS_TYPES = {pa.string(): pd.StringDtype(), pa.float64(): pd.Float64Dtype(), pa.int64(): pd.Int64Dtype()}
