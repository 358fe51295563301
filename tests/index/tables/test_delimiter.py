from __future__ import annotations

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.store import Index
from monai_unlearn.index.tables.delimiter import delimiter_of, parse_delimiter
from monai_unlearn.index.tables.from_table import TableRequest, index_table
from monai_unlearn.index.tables.read_table import read_table


@pytest.mark.parametrize(
    ("header", "name", "message"),
    [
        ("id;age;size, in mm", "a.csv", "separated by commas, got a header separated by semicolons.* --delimiter ';'"),
        ("id\tage", "a.csv", "separated by commas, got a header separated by tabs.* --delimiter tab"),
        ("id|age", "a.csv", "got a header separated by bars"),
        ("id,age", "a.tsv", "separated by tabs, got a header separated by commas.* --delimiter ','"),
    ],
)
def test_other_delimiter_is_named(header, name, message, tmp_path):
    path = tmp_path / name
    path.write_text(f"{header}\n1;2;3\n", encoding="utf-8")
    for read in (read_table, lambda path: index_table(TableRequest(table=path, id_column="id", out=tmp_path / "i"))):
        with pytest.raises(IndexReadError, match=message):
            read(path)


@pytest.mark.parametrize("header", ['id,"a;b;c;d"', "id", "id,a;b", ""])
def test_usual_delimiter_is_kept(header, tmp_path):
    (tmp_path / "a.csv").write_text(f"{header}\n", encoding="utf-8")
    assert delimiter_of(tmp_path / "a.csv", None) == ","


def test_given_delimiter_is_used(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id;width\na;1,5\nb;2\n", encoding="utf-8")
    assert read_table(path, delimiter=";").texts.to_pydict() == {"id": ["a", "b"], "width": ["1,5", "2"]}
    index_table(TableRequest(table=path, id_column="id", out=tmp_path / "index", delimiter=";"))
    assert Index.open(tmp_path / "index").frame(["image_id", "width"])["width"].tolist() == ["1,5", "2"]


def test_names_of_delimiters():
    assert [parse_delimiter(text) for text in (";", "tab", "\\t", "|", None)] == [";", "\t", "\t", "|", None]
    for text in ("", ";;", '"', "\n"):
        with pytest.raises(IndexReadError, match="expected one character"):
            parse_delimiter(text)
