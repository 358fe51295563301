from __future__ import annotations

import datetime as dt

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.predicate import Predicate
from monai_unlearn.cohort.query.sql import SqlContext
from monai_unlearn.cohort.query.to_sql import to_sql
from monai_unlearn.cohort.typing.bind import bind
from monai_unlearn.cohort.typing.columns import Columns
from monai_unlearn.vocabulary.fields import Kind

COLUMNS = {'odd "name': Kind.TEXT, "vpf": Kind.NUMBER, "StudyDate": Kind.DATE}


def _sql(text):
    predicate = parse(text)
    bound = bind([predicate], Columns(COLUMNS, {}, "l"), name="s")
    return to_sql(predicate, SqlContext(bound, {name: name for name in COLUMNS}))


def test_values_are_parameters_in_order_and_names_are_quoted():
    sql = _sql("`odd \"name` in ['1; DROP TABLE x', b] and not (vpf > 3 or studied != 2019-01-31) and missing(vpf)")
    assert sql.parameters == (["1; DROP TABLE x"], ["b"], 3.0, dt.date(2019, 1, 31))
    assert sql.text.count("?") == 4
    assert '"odd ""name"' in sql.text
    assert "DROP" not in sql.text


def test_a_node_without_a_handler_raises():
    class Strange(Predicate):
        def render(self, **_):
            return "?"

    with pytest.raises(NotImplementedError, match="Strange"):
        to_sql(Strange(), SqlContext({}, {}))
