from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monai_unlearn.index.store.digest import content_digest, count_patients, engine
from monai_unlearn.vocabulary.fields import Kind

COLUMNS = {"image_id": Kind.TEXT, 'odd "name"': Kind.TEXT, "b": Kind.TEXT, "path": Kind.TEXT}
ROWS = [("1", "x", None, "/a"), ("2", None, "", "/b"), ("2", None, None, "/c")]


@pytest.fixture
def digest(tmp_path):
    def of(*parts, columns=COLUMNS, units=None):
        paths = []
        for number, rows in enumerate(parts):
            paths.append(tmp_path / f"{number}.parquet")
            pq.write_table(
                pa.table([pa.array(c, pa.string()) for c in zip(*rows, strict=True)], list(columns)), paths[-1]
            )
        with engine(tmp_path) as connection:
            return content_digest(connection, paths, columns, units or {})

    return of


def test_digest_does_not_depend_on_order_parts_or_paths(digest):
    expected = digest(ROWS)
    assert digest(ROWS[::-1]) == expected
    assert digest(ROWS[2:], ROWS[:2]) == expected
    assert digest([(*row[:3], "/elsewhere") for row in ROWS]) == expected


@pytest.mark.parametrize(
    "rows",
    [
        ROWS[:2],
        [*ROWS, ROWS[0]],
        [("1", "x", "", "/a"), *ROWS[1:]],
        [("1", None, "x", "/a"), *ROWS[1:]],
        [("1", "x~:", None, "/a"), *ROWS[1:]],
        [("11", ":x", None, "/a"), *ROWS[1:]],
    ],
)
def test_any_other_content_has_another_digest(rows, digest):
    assert digest(rows) != digest(ROWS)


def test_notes_that_depend_on_the_day_of_the_build_are_no_content(digest):
    columns = {"image_id": Kind.TEXT, "fault": Kind.TEXT}
    plain = digest([("1", None), ("2", "invalid_date")], columns=columns)
    assert digest([("1", "implausible_date"), ("2", "invalid_date")], columns=columns) == plain
    assert digest([("1", "dates_shifted"), ("2", "invalid_date")], columns=columns) == plain
    assert digest([("1", "implausible_age"), ("2", "invalid_date")], columns=columns) != plain


def test_such_notes_are_no_content_among_other_faults_either(digest):
    columns = {"image_id": Kind.TEXT, "faults": Kind.TEXT}
    plain = digest([("1", None), ("2", "invalid_date")], columns=columns)
    changed = [("1", "implausible_date\\dates_shifted"), ("2", "invalid_date\\implausible_date")]
    assert digest(changed, columns=columns) == plain
    assert digest([("1", None), ("2", "invalid_date\\invalid_age")], columns=columns) != plain


def test_names_and_units_are_content(digest):
    assert digest(ROWS, columns={"image_id": Kind.TEXT, "a": Kind.TEXT, "b": Kind.TEXT, "path": Kind.TEXT}) != digest(
        ROWS
    )
    assert digest(ROWS, units={"b": "mm"}) != digest(ROWS)


def test_patients_are_those_of_usable_images(tmp_path):
    rows = {
        "patient": ["p", "p", "q", "r", None, None],
        "fault": [None, "missing_patient_id", None, "truncated", None, "empty_file"],
    }
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    with engine(tmp_path) as connection:
        assert count_patients(connection, [tmp_path / "a.parquet"]) == (2, 1)
