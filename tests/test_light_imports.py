from __future__ import annotations

import subprocess
import sys

# What a process prints when it runs these lines: whether pandas is loaded, before and after a data frame is made.
PROGRAM = """
import sys
from monai_unlearn.light_imports import light_arrow
light_arrow()
import pyarrow as pa
table = pa.table({"number": pa.array([1.5, None]), "text": pa.array(["a", None])})
print("pandas" in sys.modules, pa.default_memory_pool().backend_name)
frame = table.to_pandas()
print(frame["text"].isna().tolist())
import pandas as pd
print(pa.array(pd.Series([1, None], dtype="Int64")).to_pylist(), pa.Table.from_pandas(frame) == table)
"""


def run(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def test_arrays_do_not_load_pandas_and_data_frames_work_all_the_same():
    assert run(PROGRAM) == ["False system", "[False, True]", "[1, None] True"]


def test_pandas_that_is_loaded_stays():
    program = "import pandas, sys\n" + PROGRAM.replace("table.to_pandas()", "pandas.DataFrame({'text': ['a', None]})")
    assert run(program.rpartition("import pandas as pd")[0]) == ["True system", "[False, True]"]


def test_pydicom_is_loaded_without_requests_which_can_be_imported_all_the_same():
    program = (
        "import sys; from monai_unlearn.light_imports import light_pydicom; light_pydicom(); "
        "print('pydicom' in sys.modules, 'requests' in sys.modules); import requests; print(requests.__name__)"
    )
    assert run(program) == ["True False", "requests"]
