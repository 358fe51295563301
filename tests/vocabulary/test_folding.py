from __future__ import annotations

import unicodedata

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.vocabulary.folding import SQL_MACROS, folded, folding_matters, letters, visible

ODD = " \t\u00a0\u2009\u202f\u3000\u200b\u200e\ufeff-\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\uff0d_.,/()'aAéÉßΣςİ0٣"
TEXTS = st.one_of(
    st.text(st.sampled_from(ODD), max_size=12), st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)


@pytest.fixture(scope="module")
def in_sql():
    with duckdb.connect() as connection:
        for macro in SQL_MACROS:
            connection.execute(macro)

        def run(texts):
            rows = "SELECT UNNEST(?) AS text, UNNEST(?) AS place"
            statement = f"SELECT folded(text), letters(text) FROM ({rows}) ORDER BY place"  # noqa: S608 - see above
            return connection.execute(statement, [texts, list(range(len(texts)))]).fetchall()

        yield run


@given(texts=st.lists(TEXTS, min_size=1, max_size=20))
def test_python_and_sql_agree(in_sql, texts):
    assert in_sql(texts) == [(folded(text), letters(text)) for text in texts]


def test_python_and_sql_agree_on_every_character_of_the_basic_plane(in_sql):
    texts = [f"a{chr(code)}{chr(code)}Σ" for code in range(1, 0x10000) if not 0xD800 <= code <= 0xDFFF]
    assert in_sql(texts) == [(folded(text), letters(text)) for text in texts]


def test_every_white_space_of_unicode_is_one_space():
    spaces = [character for character in map(chr, range(0x110000)) if character.isspace()]
    assert {folded(f"a{space}{space}b") for space in spaces} == {"a b"}
    assert {folded(f"{space}a b{space}") for space in spaces} == {"a b"}


def test_every_dash_of_unicode_is_a_hyphen():
    dashes = [chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == "Pd"]
    # Marks of Canadian syllabics, Hebrew and Japanese writing that Unicode counts as dashes belong to their words.
    others = {"\u1400", "\u2e1a", "\u2e40", "\u2e5d", "\u30a0"}
    assert {folded(f"a{dash}b") for dash in [*dashes, "\u2212", "\u00ad"] if dash not in others} == {"a-b"}


@given(TEXTS)
def test_folding_twice_is_folding_once(text):
    assert folded(folded(text)) == folded(text)
    assert letters(folded(text)) == letters(text)


@given(TEXTS)
def test_what_is_visible_is_plain_and_tells_different_spellings_apart(text):
    assert folded(visible(text).replace("␣", "")) == visible(text).replace("␣", "").strip(" ")
    assert (visible(text) == text) == (folded(text) == text)


@pytest.mark.parametrize(
    "text",
    ["CIRRUS HD-OCT 5000", "Cirrus HD-OCT  5000 ", "CIRRUS_HD-OCT_5000", "CirrusHDOCT5000", "Cirrus HD\u2011OCT 5000"],
)
def test_spellings_of_one_device_have_the_same_letters(text):
    assert letters(text) == "cirrushdoct5000"


@pytest.mark.parametrize("text", ["Cirrus 5000", "Cirrus HD-OCT 500", "Cirrus HD-OCT 5000A"])
def test_another_device_has_other_letters(text):
    assert letters(text) != "cirrushdoct5000"


@pytest.mark.parametrize(
    ("text", "matters"),
    [
        ("a b", True),
        ("a-b", True),
        ("a\u2011b", True),
        (" a", True),
        ("a", False),
        ("2019-01-31", False),
        ("-1e-3", False),
    ],
)
def test_where_folding_can_make_a_difference(text, matters):
    assert folding_matters(text) == matters
