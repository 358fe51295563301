from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.query.field_sql import Plausibility
from monai_unlearn.cohort.query.sql import Sql, SqlContext
from monai_unlearn.cohort.query.statement import select, statement_for
from monai_unlearn.cohort.resolve.resolve import question_of
from monai_unlearn.index.faults import usable_faults
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def index(tmp_path):
    columns = {"device": ["x", "y"], "vpf": [1.0, 2.0], "eye": ["l", "r"]}
    return make_index(tmp_path, columns, {"device": Kind.TEXT, "vpf": Kind.NUMBER, "eye": Kind.TEXT}, label="eye")


def _statement(index, forget, more="", label=None):
    question = question_of(make_spec(forget, more), index)
    return statement_for(question, question.context({name: name for name in index.columns}), label=label)


def test_parameters_come_in_the_order_of_the_question_marks(index):
    statement = _statement(index, "[device == x, vpf > 1]", "population: device in [x, y]\n")
    usable = usable_faults()
    assert statement.sql.parameters == (*usable, ["x", "y"], "x", 1.0)
    assert statement.sql.text.count("?") == 1 + len(statement.sql.parameters)


def test_parameters_of_a_statistic_s_table_come_first(index):
    statement = _statement(index, "zscore(vpf) > 1", "population: device in [x, y]\n")
    usable = usable_faults()
    assert statement.sql.parameters == (*usable, ["x", "y"], *usable, ["x", "y"], 1.0)
    assert statement.computed == ()


def test_a_statistic_that_python_computes_leaves_its_query_with_the_statement(index):
    (table,) = _statement(index, "isolation_forest(vpf) by (device) > 0.5").computed
    assert table.keys == 1
    assert table.rows.parameters == usable_faults()


def test_columns_are_named_by_what_they_answer(index):
    text = _statement(index, "[device == x, vpf > 1]", "sample: {count: 1, stratify: vpf}\n", label="eye").sql.text
    names = [line.rstrip(",").rpartition(" AS ")[2] for line in text.splitlines() if line.startswith("  ")]
    assert names == [
        "image", "series", "study", "patient", "faults", "label", "readable",
        "stratum_0", "population", "rule_0", "rule_1",
    ]  # fmt: skip


def test_select_reads_the_parts_that_are_its_first_parameter():
    sql = select([Sql("a = ? AS a", (1.0,)), Sql("b")])
    assert sql == Sql("WITH seen AS (SELECT * FROM read_parquet(?))\nSELECT\n  a = ? AS a,\n  b\nFROM seen", (1.0,))


def test_the_context_of_a_question_has_its_fields_and_value_sets(index):
    question = question_of(make_spec("device in @old", "value_sets: {old: [x]}\n"), index)
    names = {"device": "device"}
    plausibility = Plausibility(latest=index.built)
    assert question.context(names) == SqlContext(question.bound, names, {"old": ("x",)}, plausibility)
