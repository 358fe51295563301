from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pyarrow as pa
import pytest

from monai_unlearn.index.store.schema import BASE_COLUMNS, arrow_type, part_schema
from monai_unlearn.vocabulary.fields import Kind


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, "a"),
        (Kind.NUMBER, 1.5),
        (Kind.AGE, 45.25),
        (Kind.DATE, dt.date(2018, 6, 5)),
        (Kind.DATETIME, dt.datetime(2018, 6, 5, 1, 2, 3, 456789)),  # noqa: DTZ001 - an index has no time zones
    ],
)
def test_type_preserves_values_of_its_kind(kind, value):
    assert pa.array([value, None], arrow_type(kind)).to_pylist() == [value, None]


def test_every_kind_has_a_type():
    assert all(isinstance(arrow_type(kind), pa.DataType) for kind in Kind)


def test_file_times_are_whole_numbers():
    schema = part_schema({**BASE_COLUMNS, "age": Kind.AGE})
    assert schema.names == [*BASE_COLUMNS, "age"]
    assert schema.field("file_mtime_ns").type == schema.field("file_size").type == pa.int64()
    assert schema.field("age").type == pa.float64()


def test_names_are_known_without_arrow():
    code = "import sys; from monai_unlearn.index.store.schema import BASE_COLUMNS; print('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
