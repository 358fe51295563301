from __future__ import annotations

import datetime as dt
import math

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.query import query
from monai_unlearn.cohort.query.query import locked_connection, run_query
from monai_unlearn.cohort.resolve.resolve import question_of
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
    with locked_connection(index.directory) as connection:
        rows = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(index.parts[0])]).fetchone()
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
                connection.execute(statement)
    assert len(frame) == 1
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["it's an index", "[2019] a*b?c", "ünï"])
def test_any_folder_name_can_be_read(tmp_path, name):
    index = make_index(tmp_path / name, {"device": ["x", "y"]}, {"device": Kind.TEXT})
    assert make_spec("device == x").resolve(index).image_ids["forget"] == ["i00"]


def test_columns_that_differ_only_by_case_are_two(index):
    assert make_spec("device == y").resolve(index).image_ids["forget"] == ["i01", "i02"]
    cohort = make_spec("Device == '2'").resolve(index)
    assert cohort.image_ids == {"forget": ["i01"], "remain": ["i00"], "undetermined": ["i02"]}


def test_such_columns_in_another_order_in_a_later_part_are_refused(index):
    part = index.directory / "parts" / "later.parquet"
    table = pq.read_table(index.parts[0])
    pq.write_table(table.select(table.column_names[::-1]), part)
    mixed = Index(**{**vars(index), "parts": (*index.parts, part)})
    with pytest.raises(IndexReadError, match=r"cannot be queried \(KeyError\)"):
        make_spec("device == y").resolve(mixed)


def test_nan_in_a_part_is_no_measurement(tmp_path):
    index = make_index(tmp_path / "index", {"vpf": [1.0, 2.0, 3.0]}, {"vpf": Kind.NUMBER})
    table = pq.read_table(index.parts[0])
    place = table.column_names.index("vpf")
    # Written around write_index, which makes nulls of NaN.
    pq.write_table(table.set_column(place, "vpf", pa.array([1.0, math.nan, 3.0])), index.parts[0])
    cohort = make_spec("vpf > 2").resolve(index)
    assert cohort.image_ids == {"forget": ["i02"], "remain": ["i00"], "undetermined": ["i01"]}


def test_an_image_that_stands_twice_is_refused(tmp_path):
    columns = {"image_id": ["a", "a", "b"], "device": ["x", "y", "y"]}
    index = make_index(tmp_path / "index", columns, {"device": Kind.TEXT})
    with pytest.raises(IndexReadError, match="expected one row an image, got 3 rows of 2 images"):
        make_spec("device == x").resolve(index)


def test_a_second_row_that_is_marked_as_a_fault_does_no_harm(tmp_path):
    columns = {
        "image_id": ["a", "a", "b"],
        "device": ["x", "y", "y"],
        "fault": [None, "duplicate_sop_instance_uid", None],
    }
    cohort = make_spec("device == x").resolve(make_index(tmp_path / "index", columns, {"device": Kind.TEXT}))
    assert cohort.image_ids["forget"] == ["a"]
    assert cohort.forget["device"].tolist() == ["x"]


def test_a_damaged_part_is_one_sentence(index):
    index.parts[0].write_bytes(b"PAR1 but no more")
    with pytest.raises(IndexReadError, match=r"index: the index cannot be queried \(.*\)\. Build it again with"):
        make_spec("device == x").resolve(index)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u00a0", " \n "])
def test_white_space_is_no_identifier_and_no_class(tmp_path, blank):
    columns = {unit: [blank, blank, f"{unit}-1", None] for unit in ("patient", "study", "series")}
    columns |= {"device": ["x", "y", "y", "y"], "eye": [blank, "N", "N", None]}
    kinds = {"device": Kind.TEXT, "eye": Kind.TEXT}
    index = make_index(tmp_path / "index", columns, kinds, label="eye")
    answers = run_query(index, question_of(make_spec("device == x", "sample: {count: 1, stratify: eye}"), index))
    for column in answers.units.values():
        assert column.codes.tolist()[:2] == [-1, -1]
        assert column.codes[2] >= 0 > column.codes[3]
    assert (answers.label.codes < 0).tolist() == [True, False, False, True]
    assert (answers.strata[0].codes < 0).tolist() == [True, False, False, True]


def test_an_identifier_of_white_space_is_no_image(tmp_path):
    index = make_index(tmp_path / "index", {"image_id": [" ", "b"], "device": ["x", "y"]}, {"device": Kind.TEXT})
    with pytest.raises(IndexReadError, match="expected one row an image, got 2 rows of 1 images"):
        make_spec("device == x").resolve(index)


def test_strata_are_the_values_of_their_fields(tmp_path):
    columns = {"device": ["x", "y", "y"], "vpf": [1.5, math.nan, 2.0]}
    columns["StudyDate"] = [None, None, dt.date(2019, 1, 31)]
    kinds = {"device": Kind.TEXT, "vpf": Kind.NUMBER, "StudyDate": Kind.DATE}
    index = make_index(tmp_path / "index", columns, kinds)
    spec = make_spec("device == y", "sample: {count: 1, stratify: [device, vpf, acquired]}")
    answers = run_query(index, question_of(spec, index))
    values = [[column.names[code] if code >= 0 else None for code in column.codes] for column in answers.strata]
    assert values == [["x", "y", "y"], ["1.5", None, "2.0"], [None, None, "2019-01-31"]]


def test_values_are_chosen_in_the_order_of_their_numbers(index):
    answers = run_query(index, question_of(make_spec("device == x"), index))
    assert answers.image.chosen(answers.image.among(answers.rules[0].false)) == ["i01", "i02"]


def test_an_index_that_is_built_anew_in_its_place_is_read_anew(tmp_path):
    spec = make_spec("device == a")
    assert spec.resolve(make_index(tmp_path, {"device": ["a", "b"]}, {"device": Kind.TEXT})).images["forget"] == 1
    again = make_index(tmp_path, {"device": ["b", "a", "a"]}, {"device": Kind.TEXT})
    assert spec.resolve(again).image_ids["forget"] == ["i01", "i02"]


def test_what_is_kept_of_an_index_is_not_what_was_asked_of_it(tmp_path):
    index = make_index(tmp_path, {"device": ["a", "b", "a"]}, {"device": Kind.TEXT})
    assert [make_spec(f"device == {name}").resolve(index).images["forget"] for name in ("a", "b")] == [2, 1]


def test_rows_are_put_into_the_order_of_the_parts():
    # `IN` is a join for the database, which returns the rows of large indexes in whatever order it finds them.
    names = ["a0", "a1", "a2", "b0", "c0", "c1"]
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1)]
    shuffled = [4, 2, 0, 5, 3, 1]
    table = pa.table(
        {
            "image": [names[row] for row in shuffled],
            "part": pa.array([places[row][0] for row in shuffled], pa.uint64()),
            "place": pa.array([places[row][1] for row in shuffled], pa.int64()),
        }
    )
    assert query._in_order(table, [3, 1, 2]).to_pydict() == {"image": names}


def test_a_column_named_like_the_database_names_places_hides_none(tmp_path):
    columns = {"device": ["a", "b", "a"], "file_index": [0, 0, 0], "FILE_ROW_NUMBER": [2, 1, 0]}
    kinds = {"device": Kind.TEXT, "file_index": Kind.NUMBER, "FILE_ROW_NUMBER": Kind.NUMBER}
    index = make_index(tmp_path, columns, kinds)
    assert make_spec("device == a").resolve(index).image_ids["forget"] == ["i00", "i02"]
    assert make_spec("FILE_ROW_NUMBER == 2").resolve(index).image_ids["forget"] == ["i00"]
