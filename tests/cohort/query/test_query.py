from __future__ import annotations

import datetime as dt
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.query import identity, query
from monai_unlearn.cohort.query.connection import OpenIndex, locked_connection
from monai_unlearn.cohort.query.query import count_present, run_query, statement_of
from monai_unlearn.cohort.resolve.resolve import question_of
from monai_unlearn.errors import IndexReadError
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def index(tmp_path):
    columns = {"device": ["x", "y", "y"], "Device": ["1", "2", None]}
    return make_index(tmp_path / "index", columns, {"device": Kind.TEXT, "Device": Kind.TEXT})


def test_columns_that_differ_only_by_case_are_two_fields(index):
    assert make_spec("device == y").resolve(index).image_ids["forget"] == ["i01", "i02"]
    cohort = make_spec("Device == '2'").resolve(index)
    assert cohort.image_ids == {"forget": ["i01"], "remain": ["i00"], "undetermined": ["i02"]}


def test_nan_in_a_part_is_a_missing_value(tmp_path):
    index = make_index(tmp_path / "index", {"vpf": [1.0, 2.0, 3.0]}, {"vpf": Kind.NUMBER})
    table = pq.read_table(index.parts[0])
    place = table.column_names.index("vpf")
    # Written around write_index, which makes nulls of NaN.
    pq.write_table(table.set_column(place, "vpf", pa.array([1.0, math.nan, 3.0])), index.parts[0])
    cohort = make_spec("vpf > 2").resolve(index)
    assert cohort.image_ids == {"forget": ["i02"], "remain": ["i00"], "undetermined": ["i01"]}


def test_an_image_with_two_usable_rows_is_refused(tmp_path):
    columns = {"image_id": ["a", "a", "b"], "device": ["x", "y", "y"]}
    index = make_index(tmp_path / "index", columns, {"device": Kind.TEXT})
    with pytest.raises(IndexReadError, match="expected one row per image, got 3 rows of 2 images"):
        make_spec("device == x").resolve(index)


def test_a_second_row_with_a_fault_is_ignored(tmp_path):
    columns = {
        "image_id": ["a", "a", "b"],
        "device": ["x", "y", "y"],
        "fault": [None, "duplicate_sop_instance_uid", None],
    }
    cohort = make_spec("device == x").resolve(make_index(tmp_path / "index", columns, {"device": Kind.TEXT}))
    assert cohort.image_ids["forget"] == ["a"]
    assert cohort.forget["device"].tolist() == ["x"]


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u00a0", " \n "])
def test_white_space_is_neither_an_identifier_nor_a_class(tmp_path, blank):
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


def test_an_image_needs_an_identifier(tmp_path):
    index = make_index(tmp_path / "index", {"image_id": [" ", "b"], "device": ["x", "y"]}, {"device": Kind.TEXT})
    with pytest.raises(IndexReadError, match="expected one row per image, got 2 rows of 1 image"):
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


def test_an_index_that_is_rebuilt_in_place_is_read_again(tmp_path):
    spec = make_spec("device == a")
    assert spec.resolve(make_index(tmp_path, {"device": ["a", "b"]}, {"device": Kind.TEXT})).images["forget"] == 1
    again = make_index(tmp_path, {"device": ["b", "a", "a"]}, {"device": Kind.TEXT})
    assert spec.resolve(again).image_ids["forget"] == ["i01", "i02"]


def test_only_what_does_not_depend_on_the_question_is_kept(tmp_path):
    index = make_index(tmp_path, {"device": ["a", "b", "a"]}, {"device": Kind.TEXT})
    assert [make_spec(f"device == {name}").resolve(index).images["forget"] for name in ("a", "b")] == [2, 1]


@pytest.mark.parametrize("most_runs", [0, 10_000])
def test_rows_are_sorted_as_in_the_parts(most_runs, monkeypatch):
    monkeypatch.setattr(query, "_MOST_RUNS", most_runs)
    # DuckDB runs `IN` as a join, and returns the rows of large indexes in any order.
    names = ["a0", "a1", "a2", "b0", "c0", "c1"]
    places = [0, 1, 2, 1 << 40, 2 << 40, (2 << 40) + 1]
    shuffled = [4, 2, 0, 5, 3, 1]
    table = pa.table(
        {
            "image": [names[row] for row in shuffled],
            "place": pa.array([places[row] for row in shuffled], pa.uint64()),
        }
    )
    assert query._in_order(table).to_pydict() == {"image": names}


def test_row_groups_of_several_threads_are_put_in_order():
    runs = [range(3), range(6, 8), range(3, 6), range(8, 9)]  # as two threads return them
    places = pa.array([place for run in runs for place in run], pa.uint64())
    table = pa.table({"image": places.cast(pa.string()), "place": places})
    assert query._in_order(table)["image"].to_pylist() == [str(place) for place in range(9)]
    assert query._in_order(table.slice(0, 0)).num_rows == 0


@pytest.mark.parametrize("rule", ["vpf in [1, 4, 9, 16]", "zscore(vpf) by (device) > 0", "percentile_rank(vpf) > 50"])
@pytest.mark.parametrize("more", [{}, {"file_index": [0] * 60}])
def test_answers_come_in_the_order_of_the_parts(tmp_path, rule, more):
    columns = {"vpf": [float(number) for number in range(60)], "device": ["a", "b", "c"] * 20, **more}
    kinds = {"vpf": Kind.NUMBER, "device": Kind.TEXT, **dict.fromkeys(more, Kind.NUMBER)}
    index = make_index(tmp_path, columns, kinds)
    cohort = make_spec(rule).resolve(index)
    frame = index.frame()
    for part, mask in cohort.membership.items():
        assert sorted(frame.loc[mask, "image_id"]) == cohort.image_ids[part]
        assert getattr(cohort, part)["vpf"].tolist() == frame.loc[mask].sort_values("image_id")["vpf"].tolist()


def test_a_second_question_asks_for_its_verdicts_alone(tmp_path, monkeypatch):
    index = make_index(tmp_path, {"device": ["a", "b", "a"]}, {"device": Kind.TEXT})
    make_spec("device == a").resolve(index)
    asked = []
    fetch = OpenIndex.fetch
    monkeypatch.setattr(OpenIndex, "fetch", lambda self, sql: asked.append(sql.text) or fetch(self, sql))
    monkeypatch.setattr("monai_unlearn.cohort.query.identity.stored", None)
    for rule in ("device == b", "device == b and device != a"):
        make_spec(rule).resolve(index)
    assert len(asked) == 2
    assert not any("image_id" in text or "patient" in text for text in asked)


def test_columns_named_like_duckdb_s_own_columns_hide_no_place(tmp_path):
    columns = {"device": ["a", "b", "a"], "file_index": [0, 0, 0], "FILE_ROW_NUMBER": [2, 1, 0]}
    kinds = {"device": Kind.TEXT, "file_index": Kind.NUMBER, "FILE_ROW_NUMBER": Kind.NUMBER}
    index = make_index(tmp_path, columns, kinds)
    assert make_spec("device == a").resolve(index).image_ids["forget"] == ["i00", "i02"]
    assert make_spec("FILE_ROW_NUMBER == 2").resolve(index).image_ids["forget"] == ["i00"]


def test_images_with_a_value_are_counted_among_the_readable_ones(tmp_path):
    columns = {
        "device": ["a", "", None, "b"],
        "vpf": [math.nan, 1.0, 2.0, 3.0],
        "fault": [None, None, None, "unreadable"],
    }
    index = make_index(tmp_path, columns, {"device": Kind.TEXT, "vpf": Kind.NUMBER})
    bound = question_of(make_spec("device == a and vpf > 1"), index).bound
    assert count_present(index, bound) == {"": 3, "device": 1, "vpf": 2}


@pytest.mark.parametrize("rule", ["vpf > 2", "zscore(vpf) > 1", "percentile_rank(vpf) by (device) > 50"])
def test_the_statement_that_is_shown_gives_the_answers(tmp_path, rule):
    columns = {"vpf": [1.0, 2.0, 3.0, None], "device": ["a", "a", "b", "b"]}
    index = make_index(tmp_path, columns, {"vpf": Kind.NUMBER, "device": Kind.TEXT})
    question = question_of(make_spec(rule), index)
    statement = statement_of(index, question)
    with locked_connection(index.directory) as connection:
        parts = [str(part) for part in index.parts]
        rows = connection.sql(statement.text, params=[parts, *statement.parameters]).fetchall()
    answers = run_query(index, question)
    verdicts = {row[0]: row[-1] for row in rows}
    true, false = answers.rules[0].true, answers.rules[0].false
    assert verdicts == {
        name: True if true[row] else False if false[row] else None for row, name in enumerate(answers.image.names)
    }


def test_the_statement_that_is_shown_has_the_classes(tmp_path):
    columns = {"device": ["a", "b"], "eye": ["N", "D"]}
    index = make_index(tmp_path, columns, {"device": Kind.TEXT, "eye": Kind.TEXT}, label="eye")
    text = statement_of(index, question_of(make_spec("device == a"), index)).text
    assert 'CAST("eye" AS VARCHAR) AS label' in text


def test_the_rows_of_one_index_only_are_kept(tmp_path):
    for name in ("first", "second"):
        make_spec("device == a").resolve(make_index(tmp_path / name, {"device": ["a", "b"]}, {"device": Kind.TEXT}))
    assert len(identity._KEPT) == 1
