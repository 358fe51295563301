from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.tables.opened_table import opened_table
from monai_unlearn.vocabulary.fields import Kind


def kinds(path):
    with opened_table(path) as table:
        return {name: column.kind for name, column in table.columns.items()}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2.5", " 3e2 ", ""], Kind.NUMBER),
        (["1", "NULL", "n/a"], Kind.NUMBER),
        (["20180605", "None", "2018/06/05"], Kind.DATE),
        (["20180605", "20180699"], Kind.NUMBER),
        (["1", "007"], Kind.TEXT),
        (["12345678901234567890"], Kind.TEXT),
        (["2018-06-05", ""], Kind.DATE),
        (["2018-06-05", "2018-02-31"], Kind.TEXT),
        (["", " "], Kind.TEXT),
    ],
)
@pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_column_of_text_has_the_kind_of_all_its_values(values, kind, suffix, delimiter, tmp_path):
    path = tmp_path / f"t.{suffix}"
    path.write_text(f"id{delimiter}c\n" + "".join(f"x{delimiter}{value}\n" for value in values), encoding="utf-8")
    assert kinds(path) == {"id": Kind.TEXT, "c": kind}


def test_columns_of_parquet_have_their_types(tmp_path):
    columns = {
        "text": ["a"],
        "number": [1.5],
        "whole": [2**53],
        "large": [2**53 + 1],
        "date": pa.array([0], pa.date32()),
        "moment": pa.array([0], pa.timestamp("us")),
        "flag": [True],
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    assert kinds(tmp_path / "t.parquet") == {
        "text": Kind.TEXT,
        "number": Kind.NUMBER,
        "whole": Kind.NUMBER,
        "large": Kind.TEXT,
        "date": Kind.DATE,
        "moment": Kind.DATETIME,
        "flag": Kind.TEXT,
    }


def test_rows_can_be_queried_as_source(tmp_path):
    (tmp_path / "t.csv").write_text("id,n\na,1\nb,2\n", encoding="utf-8")
    with opened_table(tmp_path / "t.csv") as table:
        assert table.connection.execute("select id from source where n = '2'").fetchall() == [("b",)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "expected a table with a header and rows, got an empty file"),
        ("t.csv", b"a\xff,b\n", "expected a table in UTF-8, got other bytes"),
        ("t.csv", b"a,A\n1,2\n", "the columns 'a' and 'A' differ only in upper and lower case"),
        ("t.csv", b"a,b\nSECRET\n", "not a well-formed CSV in line 2: expected 2 values as in the header, got 1"),
        ("t.parquet", b"SECRET", "expected a well-formed Parquet file, got other content"),
    ],
)
def test_other_content_is_refused_without_quoting_it(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(IndexReadError, match=message) as caught, opened_table(tmp_path / name):
        pass
    assert "SECRET" not in str(caught.value)


def test_missing_table_and_nested_column_are_refused(tmp_path):
    with pytest.raises(IndexReadError, match="t.csv: this table is missing"), opened_table(tmp_path / "t.csv"):
        pass
    pq.write_table(pa.table({"lists": [[1]]}), tmp_path / "t.parquet")
    message = r"the column 'lists' has the type BIGINT\[\], which an index cannot store"
    with pytest.raises(IndexReadError, match=message), opened_table(tmp_path / "t.parquet"):
        pass
