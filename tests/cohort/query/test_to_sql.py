from __future__ import annotations

import datetime as dt

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.predicate import Predicate
from monai_unlearn.cohort.query.sql import SqlContext, quoted
from monai_unlearn.cohort.query.to_sql import to_sql
from monai_unlearn.cohort.typing.bind import Columns, bind
from monai_unlearn.vocabulary.fields import Kind

COLUMNS = {'odd "name': Kind.TEXT, "vpf": Kind.NUMBER, "StudyDate": Kind.DATE}


def _sql(text):
    predicate = parse(text)
    bound = bind([predicate], Columns(COLUMNS, {}, "l"), name="s")
    return to_sql(predicate, SqlContext(bound, {name: name for name in COLUMNS}))


def test_values_are_parameters_in_order_and_names_are_quoted():
    sql = _sql("`odd \"name` in ['1; DROP TABLE x', b] and not (vpf > 3 or studied != 2019-01-31) and missing(vpf)")
    assert sql.parameters == (["1; DROP TABLE x", "b"], 3.0, dt.date(2019, 1, 31))
    assert sql.text.count("?") == 3
    assert '"odd ""name"' in sql.text
    assert "DROP" not in sql.text


def test_an_identifier_cannot_end_its_quotes():
    assert quoted('a" OR 1=1 --') == '"a"" OR 1=1 --"'


def test_a_new_node_must_bring_its_sql():
    class Strange(Predicate):
        def render(self, **_):
            return "?"

    with pytest.raises(NotImplementedError, match="Strange"):
        to_sql(Strange(), SqlContext({}, {}))
