from __future__ import annotations

import pandas as pd
import pyarrow as pa

from monai_unlearn.index.store.pandas_types import PANDAS_TYPES


def test_a_missing_value_changes_no_type():
    table = pa.table({"text": ["a", None], "number": [1.5, None], "whole": [1, None]})
    frame = table.to_pandas(types_mapper=PANDAS_TYPES.get)
    assert frame.dtypes.astype(str).to_dict() == {"text": "string", "number": "Float64", "whole": "Int64"}
    assert frame.loc[1].tolist() == [pd.NA] * 3
