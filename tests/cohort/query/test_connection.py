from __future__ import annotations

import os
import subprocess
import sys

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cohort_index import make_index

from monai_unlearn.cohort.query import connection
from monai_unlearn.cohort.query.connection import locked_connection, open_index
from monai_unlearn.cohort.query.sql import Sql
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import Index
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def index(tmp_path):
    columns = {"device": ["x", "y", "y"], "Device": ["1", "2", None]}
    return make_index(tmp_path / "index", columns, {"device": Kind.TEXT, "Device": Kind.TEXT})


def test_a_connection_reads_the_index_and_nothing_else(index, tmp_path):
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"secret": [1]}), other)
    text = tmp_path / "secret.csv"
    text.write_text("a\n1\n")
    beside = f"{index.directory}/../other.parquet"
    frame = pd.DataFrame({"a": [1]})
    with locked_connection(index.directory) as opened:
        rows = opened.execute("SELECT count(*) FROM read_parquet(?)", [str(index.parts[0])]).fetchone()
        assert rows == (3,)
        for statement in (
            f"FROM read_parquet('{other}')",
            f"FROM read_parquet('{beside}')",
            f"FROM read_csv('{text}')",
            f"FROM '{other}'",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/db.duckdb'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            f"SET allowed_directories = ['{tmp_path}']",
            "SET threads = 1",
            "FROM frame",
        ):
            with pytest.raises(duckdb.Error, match=r"(?i)permission|locked|disabled|not exist|cannot"):
                opened.execute(statement)
    assert len(frame) == 1
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["it's an index", "[2019] a*b?c", "ünï"])
def test_any_folder_name_can_be_read(tmp_path, name):
    index = make_index(tmp_path / name, {"device": ["x", "y"]}, {"device": Kind.TEXT})
    with open_index(index) as opened:
        found = opened.fetch(Sql("SELECT device FROM read_parquet(?) WHERE device = ?", ("y",)))
    assert found.to_pydict() == {"device": ["y"]}


def test_columns_that_differ_only_by_case_have_different_names_in_sql(index):
    with open_index(index) as opened:
        assert opened.in_sql["device"] != opened.in_sql["Device"]
        names = ", ".join(f'"{opened.in_sql[name]}"' for name in ("device", "Device"))
        (devices, numbers) = opened.fetch(Sql(f"SELECT {names} FROM read_parquet(?)")).columns  # noqa: S608
    assert devices.to_pylist() == ["x", "y", "y"]
    assert numbers.to_pylist() == ["1", "2", None]


def test_such_columns_in_another_order_in_a_later_part_are_refused(index):
    part = index.directory / "parts" / "later.parquet"
    table = pq.read_table(index.parts[0])
    pq.write_table(table.select(table.column_names[::-1]), part)
    mixed = Index(**{**vars(index), "parts": (*index.parts, part)})
    with pytest.raises(IndexReadError, match=r"cannot be queried \(KeyError\)"), open_index(mixed):
        pass


def test_a_damaged_part_is_reported_in_one_sentence(index):
    index.parts[0].write_bytes(b"PAR1 but no more")
    message = r"index: the index cannot be queried \(.*\)\. Build it with"
    with pytest.raises(IndexReadError, match=message), open_index(index):
        pass


def test_a_trusted_part_that_arrow_cannot_read_is_reported_too(index):
    content = index.parts[0].read_bytes()
    place = content.index(b"ARROW:schema") + 40  # within base64
    index.parts[0].write_bytes(content[:place] + b"*" + content[place + 1 :])
    trusted = Index.open(index.directory, trust=True)
    with pytest.raises(IndexReadError, match=r"cannot be queried \(ArrowInvalid\)"), open_index(trusted):
        pass


def test_a_part_that_changes_after_the_index_was_opened_is_refused(index):
    opened = Index.open(index.directory)
    index.parts[0].write_bytes(index.parts[0].read_bytes())
    with pytest.raises(IndexReadError, match=r"it was changed since"), open_index(opened):
        pass


def test_nothing_is_printed_of_the_progress_of_a_query(index):
    with locked_connection(index.directory) as connection:
        assert connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (False,)


def test_an_idle_connection_is_used_again_and_only_that_of_the_last_folder_is_kept(index, tmp_path):
    with open_index(index) as opened:
        first = opened.connection
        with open_index(index) as nested:
            assert nested.connection is not first
    with open_index(index) as opened:
        assert opened.connection is first
    with open_index(make_index(tmp_path / "other", {"device": ["x"]}, {"device": Kind.TEXT})):
        pass
    assert len(connection._IDLE) == 1
    with pytest.raises(duckdb.ConnectionException, match="closed"):
        first.execute("SELECT 1")


def test_a_connection_that_failed_is_not_used_again(index):
    with pytest.raises(IndexReadError, match="cannot be queried"), open_index(index) as opened:
        failed = opened.connection
        failed.execute("SELECT no_such_column")
    with open_index(index) as opened:
        assert opened.connection is not failed


def test_a_forked_process_leaves_the_connection_of_its_parent_alone(index):
    with open_index(index) as opened:
        kept = opened.connection
    connection._IDLE[os.getpid() + 1, index.directory.resolve()] = inherited = object()
    with open_index(index) as opened:
        assert opened.connection is kept
    assert connection._IDLE.pop((os.getpid() + 1, index.directory.resolve())) is inherited


def test_a_file_that_is_written_anew_is_read_anew(tmp_path):
    for devices in (["a"], ["b", "c"]):
        with open_index(make_index(tmp_path / "index", {"device": devices}, {"device": Kind.TEXT})) as opened:
            found = opened.fetch(Sql("SELECT device FROM read_parquet(?)"))
        assert found["device"].to_pylist() == devices


def test_a_process_that_queried_ends_in_silence(index):
    """DuckDB prints what is still open when the interpreter ends, below the message of a command that failed."""
    code = f"""
from pathlib import Path
from monai_unlearn.cohort.query.connection import open_index
from monai_unlearn.index import Index
with open_index(Index.open(Path({str(index.directory)!r}))):
    pass
raise SystemExit(2)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
