from __future__ import annotations

import duckdb
import pytest

from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.day_sql import days_between, on_days
from monai_unlearn.cohort.query.field_sql import Plausibility
from monai_unlearn.cohort.query.sql import Sql, SqlContext
from monai_unlearn.cohort.typing.columns import Bound
from monai_unlearn.vocabulary.fields import Kind

NAMES = {name: name for name in ("ContentDate", "StudyDate", "partial")}
CONTEXT = SqlContext(
    {name: Bound(((name, Kind.DATE),), Kind.DATE) for name in ("ContentDate", "StudyDate")},
    NAMES,
    plausibility=Plausibility(keep=True),
)


def _ask(sql, study=None, content=None, partial=None):
    columns = "SELECT CAST(? AS DATE) AS StudyDate, CAST(? AS DATE) AS ContentDate, CAST(? AS VARCHAR) AS partial"
    with duckdb.connect(":memory:") as connection:
        statement = f"SELECT {sql.text} FROM ({columns})"  # noqa: S608 - the test's own text
        return connection.execute(statement, [*sql.parameters, study, content, partial]).fetchone()[0]


@pytest.mark.parametrize(
    ("study", "partial", "answer"),
    [
        ("2018-06-04", None, True),
        ("2018-06-05", None, False),
        (None, None, None),
        (None, "StudyDate=2018-05-01/2018-05-31", True),
        (None, "StudyDate=2018-06-01/2018-06-30", None),
        (None, "StudyDate=2018-07-01/2018-07-31", False),
        (None, "StudyDate=2018-01-01/2018-12-31", None),
        (None, "ContentDate=2018-05-01/2018-05-31", None),
    ],
)
def test_a_condition_holds_for_all_days_or_for_none(study, partial, answer):
    sql = on_days(Field("StudyDate"), CONTEXT, lambda x: Sql(f"{x} < CAST(? AS DATE)", ("2018-06-05",)))
    assert _ask(sql, study, partial=partial) is answer


def test_each_day_may_be_asked_in_another_form():
    sql = on_days(
        Field("StudyDate"), CONTEXT, lambda x: Sql(f"{x} IS NULL"), each=lambda x: Sql(f"{x} > DATE '2018-01-01'")
    )
    assert _ask(sql, "2018-01-01") is False
    assert _ask(sql, partial="StudyDate=2018-02-01/2018-02-28") is True


def test_a_field_that_cannot_be_shortened_keeps_its_plain_condition():
    bound = {"visit": Bound((("visit", Kind.DATE),), Kind.DATE)}
    sql = on_days(
        Field("visit"), SqlContext(bound, {"visit": "visit", "partial": "partial"}), lambda x: Sql(f"{x} < ?")
    )
    assert sql == Sql('CAST("visit" AS DATE) < ?')


@pytest.mark.parametrize(
    ("study", "content", "partial", "answer"),
    [
        ("2018-06-11", "2018-06-01", None, True),
        ("2018-06-12", "2018-06-01", None, False),
        ("2018-06-11", None, None, None),
        ("2018-06-11", None, "ContentDate=2018-06-01/2018-06-30", None),
        ("2018-08-11", None, "ContentDate=2018-06-01/2018-06-30", False),
        (None, None, "ContentDate=2018-06-01/2018-06-30\\StudyDate=2018-09-01/2018-09-30", False),
    ],
)
def test_two_dates_lie_together_where_all_their_days_do(study, content, partial, answer):
    sql = days_between(Field("StudyDate"), Field("ContentDate"), CONTEXT, -10, 10)
    assert _ask(sql, study, content, partial) is answer


def test_a_window_wider_than_the_month_holds_for_all_of_its_days():
    sql = days_between(Field("StudyDate"), Field("ContentDate"), CONTEXT, 0, 40)
    assert _ask(sql, "2018-07-05", partial="ContentDate=2018-06-01/2018-06-30") is True
