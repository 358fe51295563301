from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.cohort.language.functions.versions import VERSIONS, version_key
from monai_unlearn.vocabulary.fields import Kind

(VERSION,) = VERSIONS


_STATEMENT = f"SELECT {VERSION.sql(['text'])} FROM (SELECT ? AS text)"  # noqa: S608 - of the package's own text


@pytest.fixture(scope="module")
def in_sql():
    with duckdb.connect() as connection:
        yield lambda text: connection.execute(_STATEMENT, [text]).fetchone()[0]


@pytest.mark.parametrize("texts", [["5.9", "6", "6.0.4", "V6.1", "6.1.1", "6.9 SP2", "6.10", "v 10.0.29946-rc1"]])
def test_versions_are_ordered_number_by_number(in_sql, texts):
    keys = [version_key(text) for text in texts]
    assert keys == sorted(set(keys))
    assert [in_sql(text) for text in texts] == keys


@pytest.mark.parametrize(("text", "same"), [("6.1", "6.1.0.0"), ("6.1", "06.01"), ("6", "V6 beta"), ("0.0", "0")])
def test_zeros_at_the_end_and_words_behind_do_not_count(text, same):
    assert version_key(text) == version_key(same) is not None


@pytest.mark.parametrize("text", ["BOOT 2", "VB17A", "", "6.", "6..1", "syngo 3", "1" * 19, ".5"])
def test_a_text_that_begins_otherwise_is_no_version(in_sql, text):
    assert version_key(text) is None
    assert in_sql(text) is None


@given(text=st.text(st.sampled_from("vV06. 19aß-\n"), max_size=9))
def test_python_and_sql_agree(in_sql, text):
    assert in_sql(text.replace("\n", " ")) == version_key(text.replace("\n", " "))


def test_a_missing_text_has_no_version(in_sql):
    assert in_sql(None) is None
    assert VERSION.takes is Kind.TEXT
