from __future__ import annotations

import pytest

from monai_unlearn.index.store.schema import BASE_COLUMNS
from monai_unlearn.index.tables.opened_table import opened_table
from monai_unlearn.index.tables.table_columns import table_columns
from monai_unlearn.index.tables.table_statement import table_statement


@pytest.fixture
def rows(tmp_path):
    def select(text):
        path = tmp_path / "t.csv"
        path.write_text(text, encoding="utf-8")
        with opened_table(path) as table:
            columns = table_columns(path, table.columns, id_column="id", rename={})
            statement = table_statement(columns, table.columns["id"])
            return table.connection.sql(statement).to_arrow_table().to_pylist()

    return select


def test_rows_have_every_column_of_an_index(rows):
    (row,) = rows("id,site\n a ,x\n")
    assert set(row) == {*BASE_COLUMNS, "site"}
    assert (row["image_id"], row["format"], row["site"], row["fault"], row["path"]) == ("a", "table", "x", None, None)


@pytest.mark.parametrize(
    ("columns", "values", "faults"),
    [
        ("StudyDate,PatientAge", "x,x", "invalid_date\\invalid_age"),
        ("PatientAge,StudyInstanceUID", "x,x", "invalid_uid\\invalid_age"),
        ("PatientAge,StudyDate", ",", None),
        ("PatientAge,StudyDate", "045Y,20180605", None),
    ],
)
def test_every_fault_is_kept_and_empty_is_not_invalid(columns, values, faults, rows):
    # The second row makes every column one of text.
    first, _ = rows(f"id,{columns}\na,{values}\nb,text,text\n")
    assert first["faults"] == faults
    assert first["fault"] == (faults and faults.partition("\\")[0])


def test_names_and_values_cannot_leave_the_statement(rows):
    (row,) = rows('id,"a"" ; drop table source --"\n"x\'y",1\n')
    assert row["image_id"] == "x'y"
    assert row['a" ; drop table source --'] == 1
