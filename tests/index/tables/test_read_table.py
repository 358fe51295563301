from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.tables.read_table import read_table
from monai_unlearn.vocabulary.fields import Kind


def _csv(tmp_path, text: str, name: str = "t.csv", encoding: str = "utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return read_table(path)


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", "2.5", "-3e2"], Kind.NUMBER, [1, 2.5, -300]),
        (["1", "", "nan"], Kind.NUMBER, [1, None, None]),
        (["0", "0.5", "10"], Kind.NUMBER, [0, 0.5, 10]),
        (["007", "8"], Kind.TEXT, ["007", "8"]),
        (["-01", "8"], Kind.TEXT, ["-01", "8"]),
        (["1", "inf"], Kind.TEXT, ["1", "inf"]),
        (["1e999"], Kind.TEXT, ["1e999"]),
        (["12345678901234567890"], Kind.TEXT, ["12345678901234567890"]),
        (["1", "NA", "null", "None"], Kind.NUMBER, [1, None, None, None]),
        (["20150321", "N/A", "2015-03-22"], Kind.DATE, [dt.date(2015, 3, 21), None, dt.date(2015, 3, 22)]),
        (["a", "NULL"], Kind.TEXT, ["a", None]),
        (["1_0"], Kind.TEXT, ["1_0"]),
        (["2020-01-31", ""], Kind.DATE, [dt.date(2020, 1, 31), None]),
        (["2020-01-31", "2020-99-99"], Kind.TEXT, ["2020-01-31", "2020-99-99"]),
        (["20200131"], Kind.DATE, [dt.date(2020, 1, 31)]),
        (["20200131", "20200132"], Kind.NUMBER, [20200131, 20200132]),
        (["true", "false"], Kind.TEXT, ["true", "false"]),
        ([" a ", " "], Kind.TEXT, ["a", None]),
        (["", ""], Kind.TEXT, [None, None]),
    ],
)
def test_csv_column_is_typed_without_loss(cells, kind, values, tmp_path):
    table = _csv(tmp_path, "id,x\n" + "".join(f'r,"{cell}"\n' for cell in cells))
    assert table.kinds["x"] is kind
    assert table.typed["x"].to_pylist() == values


def test_spelling_is_kept_for_matching(tmp_path):
    table = _csv(tmp_path, "id\n1.0\n\n2\n")
    assert table.kinds["id"] is Kind.NUMBER
    assert table.texts["id"].to_pylist() == ["1.0", None, "2"]


def test_tsv_and_byte_order_mark_and_nameless_column(tmp_path):
    table = _csv(tmp_path, "\ufeff\tlabel\n0\tnormal\n", name="t.tsv")
    assert dict(table.kinds) == {"unnamed_1": Kind.NUMBER, "label": Kind.TEXT}


def test_parquet_column_is_typed_without_loss(tmp_path):
    columns = {
        "whole": pa.array([1, None, 3]),
        "long": pa.array([2**60, 1, None]),
        "real": pa.array([1.5, float("nan"), None]),
        "money": pa.array([Decimal("1.50"), None, None]),
        "flag": pa.array([True, False, None]),
        "day": pa.array([dt.date(2020, 1, 31), None, None]),
        "moment": pa.array(pd.to_datetime(["2020-01-31T10:00:00Z", None, None])),
        "word": pa.array([" a ", "", None]).dictionary_encode(),
    }
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path)
    table = read_table(path)
    assert dict(table.kinds) == {
        "whole": Kind.NUMBER,
        "long": Kind.TEXT,
        "real": Kind.NUMBER,
        "money": Kind.NUMBER,
        "flag": Kind.TEXT,
        "day": Kind.DATE,
        "moment": Kind.DATETIME,
        "word": Kind.TEXT,
    }
    assert table.typed.to_pydict() == {
        "whole": [1, None, 3],
        "long": [str(2**60), "1", None],
        "real": [1.5, None, None],
        "money": [1.5, None, None],
        "flag": ["true", "false", None],
        "day": [dt.date(2020, 1, 31), None, None],
        "moment": [dt.datetime(2020, 1, 31, 10), None, None],  # noqa: DTZ001 - without a zone, as stored
        "word": ["a", None, None],
    }
    assert table.texts["whole"].to_pylist() == ["1", None, "3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv: expected a table with a header and rows, got an empty file"),
        ("a,b\n", "t.csv: expected a table with a header and rows, got no rows"),
        ("a,a\n1,2\n", "t.csv: the header repeats the column 'a'"),
        ("a\n1\n1,2\n", "t.csv: not a well-formed CSV in line 3: expected 1 value as in the header, got 2"),
        ("a,b\n1,2\n1\n", "t.csv: not a well-formed CSV in line 3: expected 2 values as in the header, got 1"),
        ('a,b\n1,2\n"1,2\n', "t.csv: not a well-formed CSV in line 3: a quote that opens there is never closed"),
    ],
)
def test_malformed_csv_is_an_error(text, message, tmp_path):
    with pytest.raises(IndexReadError, match=message):
        _csv(tmp_path, text)


def test_other_encoding_is_an_error(tmp_path):
    with pytest.raises(IndexReadError, match="expected a table in UTF-8"):
        _csv(tmp_path, "a\nÜ\n", encoding="latin-1")


def test_missing_table_and_folder_are_errors(tmp_path):
    with pytest.raises(IndexReadError, match="this table is missing"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(IndexReadError, match="this table cannot be read"):
        read_table(tmp_path)


def test_malformed_and_nested_parquet_are_errors(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"words")
    with pytest.raises(IndexReadError, match="expected a Parquet file, got other content"):
        read_table(path)
    pq.write_table(pa.table({"lists": [[1]]}), path)
    with pytest.raises(IndexReadError, match="the column 'lists' has the type list"):
        read_table(path)
